/*
 * signature.c: a hash over what outlives a plan: stores, internal topics, their layouts.
 *
 * A replayed statement must give the same number, else its state would be misread. So the
 * hash is fixed here (FNV-1a, 64 bits) and may not follow that of base/bytes.
 */
#include "engine/plan/plan.h"

enum { SIGNATURE_VERSION = 1 };

static const uint64_t fnv_start = UINT64_C(0xcbf29ce484222325);
static const uint64_t fnv_prime = UINT64_C(0x100000001b3);

static void mix_bytes(uint64_t *hash, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        *hash = (*hash ^ (unsigned char)text.data[i]) * fnv_prime;
    }
}

static void mix_number(uint64_t *hash, uint64_t number)
{
    for (unsigned i = 0; i < 8; i++) {
        *hash = (*hash ^ (number >> (8 * i) & 0xff)) * fnv_prime;
    }
}

static void mix_text(uint64_t *hash, struct bytes text)
{
    mix_number(hash, text.len);
    mix_bytes(hash, text);
}

static void mix_type(uint64_t *hash, const struct sql_type *type)
{
    struct buffer text = { 0 };

    type_print(type, &text);
    mix_text(hash, buffer_bytes(&text));
    buffer_fini(&text);
}

static void mix_codec(uint64_t *hash, const struct row_codec *codec)
{
    mix_number(hash, codec->shape_id);
    mix_number(hash, codec->column_count);
    for (uint32_t i = 0; i < codec->column_count; i++) {
        mix_type(hash, codec->types[i]);
    }
}

static void mix_key(uint64_t *hash, const struct key_plan *key)
{
    const struct format_options *options = &key->format.options;

    mix_text(hash, bytes_of(key->format.kind->name));
    mix_number(hash, options->unwrapped);
    mix_text(hash, (struct bytes){ options->delimiter, options->delimiter_len });
    mix_number(hash, key->column_count);
    for (uint32_t i = 0; i < key->column_count; i++) {
        mix_text(hash, key->columns[i].name);
        mix_type(hash, key->columns[i].type);
    }
}

static void mix_aggregate(uint64_t *hash, const struct aggregate_op_plan *plan)
{
    mix_number(hash, plan->store);
    mix_number(hash, plan->over_table);
    mix_key(hash, &plan->key);
    for (uint32_t i = 0; i < plan->call_count; i++) {
        mix_text(hash, bytes_of(plan->calls[i].plan.kind->name));
        mix_number(hash, plan->calls[i].plan.argument_count);
    }
}

/* Operators that write to stores or internal topics. */
static void mix_op(uint64_t *hash, const struct physical_plan *plan, const struct op_plan *op)
{
    switch (op->tag) {
    case PLAN_JOIN_STREAM_TABLE:
    case PLAN_JOIN_TABLE_TABLE:
        mix_number(hash, op->tag);
        mix_number(hash, op->join.kind);
        break;
    case PLAN_TABLE:
        mix_number(hash, op->table.store);
        mix_key(hash, &op->table.key);
        break;
    case PLAN_AGGREGATE:
        mix_aggregate(hash, &op->aggregate);
        break;
    case PLAN_TOPIC:
        if (op->topic.role == TOPIC_REPARTITION) {
            mix_text(hash, plan->outputs[op->topic.output].topic);
            mix_number(hash, plan->outputs[op->topic.output].partition_count);
            mix_number(hash, op->topic.is_table);
            mix_key(hash, &op->topic.key);
            mix_codec(hash, &op->topic.codec);
        }
        break;
    case PLAN_STAGE:
    case PLAN_CLIENT:
        break;
    }
}

uint64_t plan_signature(const struct physical_plan *plan)
{
    uint64_t hash = fnv_start;

    mix_number(&hash, SIGNATURE_VERSION);
    mix_number(&hash, plan->sub_count);
    for (uint32_t i = 0; i < plan->store_count; i++) {
        mix_text(&hash, plan->stores[i].name);
        mix_text(&hash, plan->stores[i].changelog);
        mix_codec(&hash, &plan->stores[i].codec);
    }
    for (uint32_t i = 0; i < plan->sub_count; i++) {
        const struct sub_plan *sub = &plan->subs[i];

        mix_text(&hash, sub->root_topic);
        for (uint32_t j = 0; j < sub->op_count; j++) {
            mix_op(&hash, plan, &sub->ops[j]);
        }
    }
    return hash;
}
