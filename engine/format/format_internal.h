/*
 * format_internal.h: what the plain formats (KAFKA, DELIMITED, NONE) share.
 */
#ifndef SLUICE_ENGINE_FORMAT_FORMAT_INTERNAL_H
#define SLUICE_ENGINE_FORMAT_FORMAT_INTERNAL_H

#include "engine/format/format.h"

/*
 * The bytes as text: themselves when they are UTF-8, else a copy in the arena with
 * U+FFFD for each malformed sequence, cut as Java's decoder cuts them.
 */
struct bytes format_repair_text(struct bytes in, struct arena *arena);

/* "The 'KAFKA' format does not support type 'ARRAY', column: C" as ERR_FORMAT_SCHEMA. */
int format_refuse_type(const char *format, const struct column *column, struct error *err);
/* Appends "`A` INTEGER, `B` STRING", for messages. */
void format_print_columns(const struct column *columns, uint32_t column_count, struct buffer *out);

#endif
