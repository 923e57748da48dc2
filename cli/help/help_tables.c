/*
 * help_tables.c: pages that are one table each.
 */
#include "cli/help/help.h"
#include "engine/command/properties.h"
#include "engine/format/format.h"
#include "engine/plan/source_properties.h"
#include "engine/type/schema.h"
#include "parser/lexer.h"

/* --- properties of WITH --- */

static const char *property_type_name(enum property_type type)
{
    switch (type) {
    case PROPERTY_TEXT:
        return "string";
    case PROPERTY_INTEGER:
        return "integer";
    case PROPERTY_BOOLEAN:
        return "boolean";
    }
    return "";
}

static void write_uses(struct page *page, unsigned uses)
{
    static const struct {
        enum property_use use;
        const char *name;
    } names[] = {
        { PROPERTY_FOR_CREATE, "CREATE" },
        { PROPERTY_FOR_AS, "CREATE ... AS" },
        { PROPERTY_FOR_INSERT, "INSERT INTO ... SELECT" },
    };
    struct buffer text = { 0 };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (uses & (unsigned)names[i].use) {
            buffer_printf(&text, "%s%s", text.len > 0 ? ", " : "", names[i].name);
        }
    }
    buffer_append_text(&text, text.len > 0 ? "" : "none");
    page_cell_bytes(page, buffer_bytes(&text));
    buffer_fini(&text);
}

void help_write_properties(struct page *page)
{
    static const char *const columns[] = { "`Property", "Value", "In", "Built", "Meaning", NULL };

    page_title(page, "Properties of WITH");
    page_paragraph(page, "WITH (KAFKA_TOPIC = 'clicks', PARTITIONS = 4): names in any case, values "
                         "are literals. What is not built yet is refused.");
    page_table_begin(page, columns);
    for (int i = 0; i < PROPERTY_COUNT; i++) {
        const struct property_kind *kind = source_property_at((enum property_id)i);

        page_cell(page, kind->name);
        page_cell(page, property_type_name(kind->type));
        write_uses(page, kind->uses);
        page_cell(page, kind->uses & (unsigned)PROPERTY_NOT_BUILT ? "no" : "yes");
        page_cell(page, kind->doc);
    }
    page_table_end(page);
}

/* --- settings --- */

void help_write_settings(struct page *page)
{
    static const char *const columns[] = { "`Setting", "`Default", "Set by",
                                           "Effect",   "Meaning",  NULL };

    page_title(page, "Settings");
    page_paragraph(page, "SET 'name' = 'value' changes a setting for the statements behind it, "
                         "--set name=value for all. Those set by the server are taken from --set "
                         "alone. ksql. in front may be left out; ksql.streams. may be added. A "
                         "name that ends in .* stands for all that begin so. Settings without an "
                         "effect are known and checked, and do nothing yet.");
    page_table_begin(page, columns);
    for (const struct setting_kind *kind = all_settings; kind->name; kind++) {
        page_cell(page, kind->name);
        page_cell(page, kind->usual ? kind->usual : "");
        page_cell(page, kind->scope == SETTING_SESSION ? "SET" : "server");
        page_cell(page, kind->effect == SETTING_USED ? "yes" : "none yet");
        page_cell(page, kind->doc);
    }
    page_table_end(page);
}

/* --- types --- */

static void write_type_names(struct page *page, enum type_id id)
{
    struct buffer text = { 0 };

    buffer_append_text(&text, type_name(id));
    for (uint32_t i = 0; type_alias(id, i); i++) {
        buffer_printf(&text, ", %s", type_alias(id, i));
    }
    page_cell_bytes(page, buffer_bytes(&text));
    buffer_fini(&text);
}

void help_write_types(struct page *page)
{
    static const char *const columns[] = { "`Type", "`A value", "What it holds", NULL };

    page_title(page, "Types and literals");
    page_table_begin(page, columns);
    for (int i = T_NULL + 1; i < T_COUNT; i++) {
        enum type_id id = (enum type_id)i;

        write_type_names(page, id);
        page_cell(page, type_example(id));
        page_cell(page, type_doc(id));
    }
    page_table_end(page);
    page_paragraph(page,
                   "Digits alone are an INTEGER, or a BIGINT if they do not fit; with a point "
                   "they are a DECIMAL, with an exponent a DOUBLE. Texts stand in single "
                   "quotes; a quote inside is doubled. NULL fits every type. Days, times, "
                   "moments and bytes are written as texts where the type is known: in "
                   "INSERT VALUES, in comparisons and in CAST. A length in VARCHAR(n) "
                   "counts for nothing. Which of these cannot be written in SQL yet is told "
                   "with SELECT, on the page about statements.");
}

/* --- formats --- */

static void write_features(struct page *page, unsigned features)
{
    static const struct {
        unsigned feature;
        const char *name;
    } names[] = {
        { FORMAT_WRAPS, "wraps a single column" },
        { FORMAT_UNWRAPS, "holds a single column bare" },
        { FORMAT_INFERS_SCHEMA, "columns from the schema registry" },
        { FORMAT_TAKES_DELIMITER, "KEY_DELIMITER, VALUE_DELIMITER" },
    };
    struct buffer text = { 0 };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (features & names[i].feature) {
            buffer_printf(&text, "%s%s", text.len > 0 ? "; " : "", names[i].name);
        }
    }
    page_cell_bytes(page, buffer_bytes(&text));
    buffer_fini(&text);
}

void help_write_formats(struct page *page)
{
    static const char *const columns[] = { "`Format", "Can", "What it is", NULL };

    page_title(page, "Formats");
    page_paragraph(page, "KEY_FORMAT and VALUE_FORMAT of WITH, or FORMAT for both. Keys are KAFKA "
                         "unless said otherwise.");
    page_table_begin(page, columns);
    for (const struct format_kind *const *kind = all_formats; *kind; kind++) {
        page_cell(page, (*kind)->name);
        write_features(page, (*kind)->features);
        page_cell(page, (*kind)->doc);
    }
    page_table_end(page);
}

/* --- errors --- */

static const char *class_name(enum error_class class)
{
    switch (class) {
    case ERROR_STATEMENT:
        return "statement";
    case ERROR_RECORD:
        return "record";
    case ERROR_TRANSIENT:
        return "transient";
    case ERROR_QUERY:
        return "query";
    case ERROR_USAGE:
        return "usage";
    }
    return "";
}

void help_write_errors(struct page *page)
{
    static const char *const columns[] = { "`Code", "Class", "Meaning", NULL };

    page_title(page, "Error codes");
    page_paragraph(page, "Codes are stable, messages are not. The class says what becomes of it: a "
                         "statement is rejected; a record is told of and skipped; what is "
                         "transient is tried again; a query stops while others run on; usage ends "
                         "the program.");
    page_table_begin(page, columns);
    for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
        page_cell(page, error_name((enum error_code)code));
        page_cell(page, class_name(error_class_of((enum error_code)code)));
        page_cell(page, error_doc((enum error_code)code));
    }
    page_table_end(page);
}

/* --- keywords --- */

static void write_keywords(struct page *page, enum keyword_use use)
{
    struct buffer text = { 0 };
    const struct keyword *keyword;

    for (uint32_t i = 0; (keyword = keyword_at(i)); i++) {
        if (keyword->use == use) {
            buffer_printf(&text, "%s%.*s", text.len > 0 ? ", " : "", BYTES_ARG(keyword->spelling));
        }
    }
    page_paragraph_bytes(page, buffer_bytes(&text));
    buffer_fini(&text);
}

void help_write_keywords(struct page *page)
{
    page_title(page, "Keywords");
    page_section(page, "Reserved");
    page_paragraph(page, "As names they stand in back quotes or double quotes.");
    write_keywords(page, KEYWORD_RESERVED);
    page_section(page, "Free");
    page_paragraph(page, "They may be names as they are.");
    write_keywords(page, KEYWORD_BARE);
    page_section(page, "Free, but better quoted");
    page_paragraph(page, "They may be names, but where both would fit the keyword may be meant.");
    write_keywords(page, KEYWORD_SOFT);
}
