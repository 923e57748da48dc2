/*
 * error_entity.c: errors as clients know them: a status, a code, one of two shapes (rest-api.md 5).
 */
#include "cli/http/ksql/api_internal.h"

struct api_error error_entity_make(int status, int code, struct bytes message)
{
    return (struct api_error){ .status = status, .code = code, .message = message };
}

void error_entity_print(const struct api_error *error, struct buffer *out)
{
    buffer_append_text(out, error->statement.data ? "{\"@type\":\"statement_error\""
                                                  : "{\"@type\":\"generic_error\"");
    buffer_printf(out, ",\"error_code\":%d", error->code);
    print_text(out, "message", error->message);
    if (error->statement.data) {
        print_text(out, "statementText", error->statement);
        buffer_append_text(out, ",\"entities\":[");
        if (error->entities.data) {
            buffer_append_bytes(out, error->entities);
        }
        buffer_append_char(out, ']');
    }
    buffer_append_char(out, '}');
}

struct api_error error_entity_of(const struct error *err, struct bytes statement,
                                 struct arena *arena)
{
    struct api_error error = { .statement = statement };

    switch (error_class_of(err->code)) {
    case ERROR_STATEMENT:
    case ERROR_RECORD:
    case ERROR_USAGE:
        error.status = 400;
        error.code = statement.data ? 40001 : 40000;
        break;
    case ERROR_TRANSIENT:
    case ERROR_QUERY:
        error.status = 500;
        error.code = 50000;
        break;
    }
    if (err->code == ERR_ASSERT) {
        error.status = 417;
        error.code = 41700;
    }
    if (err->code == ERR_CONNECTOR_EXISTS) {
        error.status = 409;
        error.code = 40900;
    }
    error.message = err->at.line > 0 ? arena_printf(arena, "line %u:%u: %s", err->at.line,
                                                    err->at.column, err->message)
                                     : arena_copy(arena, bytes_of(err->message));
    return error;
}

void error_entity_respond(struct exchange *exchange, const struct api_error *error)
{
    struct buffer text = { 0 };

    error_entity_print(error, &text);
    exchange_respond(exchange, error->status, media_name(MEDIA_JSON), buffer_bytes(&text));
    buffer_fini(&text);
}

void error_entity_reply(struct reply *reply, const struct api_error *error)
{
    struct buffer text = { 0 };

    error_entity_print(error, &text);
    reply_respond(reply, error->status, media_name(MEDIA_JSON), buffer_bytes(&text));
    buffer_fini(&text);
}
