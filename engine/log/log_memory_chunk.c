/*
 * log_memory_chunk.c: chunks of records and the partitions that are lists of them.
 *
 *   partition: [ chunk | chunk | chunk | page that still takes more ]
 *   page:      records -->            <-- headers and bytes
 *
 * Large builders are adopted, bytes and all. Small ones are gathered in pages,
 * which start small and double, so that a partition with a few records costs
 * little and a busy one has few pages. A page may grow while blocks of it are
 * in readers' hands: what they see never moves or changes.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/log/log_memory_internal.h"

enum { PAGE_BYTES_MIN = 512, FIRST_ENTRIES = 4, BLOCK_ALIGNMENT = 16 };

/* --- chunks --- */

static size_t align_up(size_t size)
{
    return (size + BLOCK_ALIGNMENT - 1) & ~(size_t)(BLOCK_ALIGNMENT - 1);
}

/* The records lie behind the struct; sizeof(struct chunk) is a multiple of their alignment. */
static struct chunk *chunk_alloc(size_t size)
{
    struct chunk *chunk = memory_alloc(sizeof *chunk + size);

    *chunk = (struct chunk){ .records = (struct log_record *)(void *)(chunk + 1) };
    atomic_init(&chunk->references, 1);
    chunk->end = (char *)(chunk + 1) + size;
    chunk->low = chunk->end;
    return chunk;
}

struct chunk *chunk_page_create(size_t size)
{
    return chunk_alloc(align_up(size));
}

struct chunk *chunk_around(char *bytes, size_t len, size_t record_count, size_t header_count)
{
    size_t records_bytes = record_count * sizeof(struct log_record);
    size_t headers_bytes = header_count * sizeof(struct record_header);
    struct chunk *chunk = chunk_alloc(records_bytes + headers_bytes);

    chunk->adopted = bytes;
    chunk->low = (char *)(chunk->records + record_count);
    chunk->record_count = (uint32_t)record_count;
    chunk->used_bytes = records_bytes + headers_bytes + len;
    return chunk;
}

struct record_header *chunk_headers(struct chunk *chunk)
{
    return (struct record_header *)(void *)chunk->low;
}

struct chunk *chunk_adopt(struct log_builder *from)
{
    struct chunk *chunk;
    size_t len = from->bytes.len;
    size_t capacity = len + len / 8; /* of the next buffer: the next builder is much like this */

    if (from->bytes.capacity - len > len / 4) {
        from->bytes.data = memory_resize(from->bytes.data, len, 1);
    }
    chunk = chunk_around(from->bytes.data, len, from->record_count, log_builder_header_count(from));
    log_builder_expand(from, chunk->adopted, chunk->records, chunk_headers(chunk));
    from->bytes = (struct buffer){ .data = memory_alloc(capacity), .capacity = capacity };
    return chunk;
}

static size_t data_bytes(const struct log_builder *from)
{
    return align_up(from->bytes.len +
                    log_builder_header_count(from) * sizeof(struct record_header));
}

size_t chunk_bytes_needed(const struct log_builder *from)
{
    return from->record_count * sizeof(struct log_record) + data_bytes(from);
}

static size_t free_bytes(const struct chunk *page)
{
    return page->adopted ? 0 : (size_t)(page->low - (char *)(page->records + page->record_count));
}

bool chunk_has_room(const struct chunk *page, const struct log_builder *from)
{
    return free_bytes(page) >= chunk_bytes_needed(from);
}

/* Headers lie first: `low` stays aligned for them. */
void chunk_append(struct chunk *page, const struct log_builder *from)
{
    size_t headers_bytes = log_builder_header_count(from) * sizeof(struct record_header);
    char *at = page->low - data_bytes(from);

    if (from->bytes.len) {
        memcpy(at + headers_bytes, from->bytes.data, from->bytes.len);
    }
    log_builder_expand(from, at + headers_bytes, page->records + page->record_count,
                       (struct record_header *)(void *)at);
    page->used_bytes += chunk_bytes_needed(from);
    page->record_count += from->record_count;
    page->low = at;
}

void chunk_clear(struct chunk *page)
{
    page->record_count = 0;
    page->used_bytes = 0;
    page->low = page->end;
}

void chunk_unref(struct chunk *chunk)
{
    if (atomic_fetch_sub_explicit(&chunk->references, 1, memory_order_acq_rel) == 1) {
        free(chunk->adopted);
        free(chunk);
    }
}

/* --- copying --- */

static struct bytes moved(struct bytes text, ptrdiff_t by)
{
    return (struct bytes){ text.data ? text.data + by : NULL, text.len };
}

/* The copied headers lie where the copied record points, moved as far as all else. */
static void move_record(struct log_record *record, ptrdiff_t by)
{
    record->key = moved(record->key, by);
    record->value = moved(record->value, by);
    if (record->header_count) {
        uintptr_t at = (uintptr_t)record->headers + (uintptr_t)by;
        struct record_header *headers = (struct record_header *)at;

        for (uint32_t i = 0; i < record->header_count; i++) {
            headers[i].key = moved(headers[i].key, by);
            headers[i].value = moved(headers[i].value, by);
        }
        record->headers = headers;
    }
}

/* Copies all records of a small page behind those of another one that has room. */
static void chunk_copy(struct chunk *to, const struct chunk *from)
{
    size_t len = (size_t)(from->end - from->low);
    char *at = to->low - len;
    struct log_record *records = to->records + to->record_count;

    memcpy(at, from->low, len);
    memcpy(records, from->records, from->record_count * sizeof *records);
    for (uint32_t i = 0; i < from->record_count; i++) {
        move_record(&records[i], at - from->low);
    }
    to->low = at;
    to->record_count += from->record_count;
    to->used_bytes += from->used_bytes;
}

static void number(struct memory_partition *partition, struct log_record *records, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        records[i].offset = partition->end++;
    }
    partition->data_end = partition->end;
}

/* --- what stays in memory --- */

static size_t chunk_memory(const struct chunk *chunk)
{
    return chunk->adopted ? chunk->used_bytes
                          : sizeof *chunk + (size_t)(chunk->end - (char *)chunk->records);
}

static void cool_off(struct memory_log *log, struct memory_partition *partition)
{
    *(partition->colder ? &partition->colder->warmer : &log->coldest) = partition->warmer;
    *(partition->warmer ? &partition->warmer->colder : &log->warmest) = partition->colder;
    partition->colder = partition->warmer = NULL;
}

static void warm_up(struct memory_log *log, struct memory_partition *partition)
{
    if (log->warmest == partition) {
        return;
    }
    if (partition->warmer) {
        cool_off(log, partition);
    }
    partition->colder = log->warmest;
    *(log->warmest ? &log->warmest->warmer : &log->coldest) = partition;
    log->warmest = partition;
}

/* Of the chunks that have left, `first` is behind them already. */
static void resident_shrink(struct memory_partition *partition, size_t by)
{
    struct memory_log *log = partition->topic->log;

    log->resident_bytes -= by;
    partition->resident_bytes -= by;
    if (by && !partition->resident_bytes) {
        cool_off(log, partition);
    }
}

static void drop_first_chunk(struct memory_partition *partition)
{
    struct chunk *chunk = partition->entries[partition->first++].chunk;

    resident_shrink(partition, chunk_memory(chunk));
    chunk_unref(chunk);
}

void partition_drop_chunks_locked(struct memory_partition *partition)
{
    while (partition->first < partition->entry_count) {
        drop_first_chunk(partition);
    }
}

void memory_evict_locked(struct memory_log *log)
{
    while (log->resident_bytes > log->resident_max && log->coldest) {
        drop_first_chunk(log->coldest);
    }
}

int64_t partition_first_resident(const struct memory_partition *partition)
{
    return partition->first < partition->entry_count
               ? partition->entries[partition->first].chunk->records[0].offset
               : partition->data_end;
}

/* --- publishing --- */

/* Forgets the dropped entries at the front when that is where the room is. */
static void link_chunk(struct memory_partition *partition, struct chunk *chunk)
{
    uint32_t live = partition->entry_count - partition->first;

    if (partition->entry_count == partition->entry_capacity && partition->first > live) {
        memmove(partition->entries, partition->entries + partition->first,
                live * sizeof *partition->entries);
        partition->first = 0;
        partition->entry_count = live;
    }
    if (partition->entry_count == partition->entry_capacity) {
        uint32_t capacity =
            partition->entry_capacity ? partition->entry_capacity * 2 : (uint32_t)FIRST_ENTRIES;

        partition->entries =
            memory_resize(partition->entries, capacity, sizeof *partition->entries);
        partition->entry_capacity = capacity;
    }
    partition->entries[partition->entry_count++] = (struct chunk_entry){ partition->end, chunk };
    partition->resident_bytes += chunk_memory(chunk);
    partition->topic->log->resident_bytes += chunk_memory(chunk);
}

/* The page at the end if it can take so much more, else a new one of twice the last's size. */
static struct chunk *tail_with_room(struct memory_partition *partition, size_t needed)
{
    size_t size = partition->page_bytes ? partition->page_bytes * 2 : PAGE_BYTES_MIN;
    struct chunk *page;

    if (partition->entry_count > partition->first) {
        page = partition->entries[partition->entry_count - 1].chunk;
        if (free_bytes(page) >= needed) {
            return page;
        }
    }
    size = size > CHUNK_PAGE_BYTES_MAX ? CHUNK_PAGE_BYTES_MAX : size;
    size = size < needed ? needed : size;
    partition->page_bytes = size;
    page = chunk_page_create(size);
    link_chunk(partition, page);
    return page;
}

bool partition_publish_locked(struct memory_partition *partition, struct chunk *chunk)
{
    bool taken = chunk->adopted || chunk->used_bytes > CHUNK_ADOPT_BYTES;

    if (!chunk->record_count) {
        return false; /* a page kept from the last time, in front of a builder that was adopted */
    }
    if (taken) {
        link_chunk(partition, chunk);
        number(partition, chunk->records, chunk->record_count);
    } else {
        struct chunk *tail = tail_with_room(partition, chunk->used_bytes);
        uint32_t count = tail->record_count;

        chunk_copy(tail, chunk);
        number(partition, tail->records + count, chunk->record_count);
    }
    warm_up(partition->topic->log, partition);
    return taken;
}

void partition_fini(struct memory_partition *partition)
{
    partition_drop_chunks_locked(partition);
    free(partition->entries);
    partition->entries = NULL;
    partition->first = partition->entry_count = partition->entry_capacity = 0;
}

void partition_trim_locked(struct memory_partition *partition, int64_t before)
{
    if (before > partition->begin) {
        partition->begin = before;
    }
    while (partition->first < partition->entry_count) {
        struct chunk *chunk = partition->entries[partition->first].chunk;

        if (chunk->records[chunk->record_count - 1].offset >= partition->begin) {
            break;
        }
        drop_first_chunk(partition);
    }
}

/* --- reading --- */

/* A block is a window on a chunk. */
struct window {
    struct log_block block; /* first */
    struct chunk *chunk;
};

static void window_release(struct log_block *block)
{
    struct window *window = (struct window *)block;

    chunk_unref(window->chunk);
    free(window);
}

/* The chunk with the last record at or behind the position: the last that begins at or
 * before it, or the next one if the position is in a gap behind all of that one's records. */
static struct chunk *find_chunk(const struct memory_partition *partition, int64_t position)
{
    uint32_t low = partition->first;
    uint32_t high = partition->entry_count;
    struct chunk *chunk;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (partition->entries[middle].first_offset <= position) {
            low = middle;
        } else {
            high = middle;
        }
    }
    chunk = partition->entries[low].chunk;
    if (chunk->records[chunk->record_count - 1].offset < position) {
        chunk = partition->entries[low + 1].chunk;
    }
    return chunk;
}

static uint32_t find_record(const struct chunk *chunk, int64_t position)
{
    uint32_t low = 0;
    uint32_t high = chunk->record_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (chunk->records[middle].offset < position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* How many of the records from `first` on make a block, and their size. */
static uint32_t take_records(const struct chunk *chunk, uint32_t first, size_t *size)
{
    uint32_t count = 0;

    if (first == 0 && chunk->used_bytes <= BLOCK_BYTES_MAX) {
        *size = chunk->used_bytes;
        return chunk->record_count;
    }
    for (*size = 0; first + count < chunk->record_count; count++) {
        const struct log_record *record = &chunk->records[first + count];
        size_t more = sizeof *record + record->key.len + record->value.len +
                      record->header_count * sizeof *record->headers;

        if (count && *size + more > BLOCK_BYTES_MAX) {
            break;
        }
        *size += more;
    }
    return count;
}

struct log_block *chunk_block(struct chunk *chunk, struct memory_partition *of, int64_t position)
{
    struct window *window = memory_alloc(sizeof *window);
    uint32_t first = find_record(chunk, position);
    size_t size;
    uint32_t count = take_records(chunk, first, &size);

    *window = (struct window){
        .block = { .partition = of->index,
                   .topic = &of->topic->pub,
                   .records = chunk->records + first,
                   .record_count = count,
                   .next_offset = chunk->records[first + count - 1].offset + 1,
                   .size_bytes = size,
                   .release = window_release },
        .chunk = chunk,
    };
    atomic_init(&window->block.references, 1);
    return &window->block;
}

struct log_block *partition_read_locked(struct memory_partition *partition, int64_t position)
{
    struct chunk *chunk;

    assert(position >= partition->begin && position < partition->data_end);
    chunk = find_chunk(partition, position);
    (void)atomic_fetch_add_explicit(&chunk->references, 1, memory_order_relaxed);
    return chunk_block(chunk, partition, position);
}
