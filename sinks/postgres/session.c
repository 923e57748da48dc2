/*
 * session.c: a connection to Postgres that never waits longer than it may.
 *
 * libpq runs non-blocking: every wait polls the socket in short turns and looks at the flag that
 * says to leave. Errors carry where it was, what Postgres said and what to do, and are sorted by
 * SQLSTATE into what the sink does about them.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "engine/type/java_text.h"
#include "sinks/postgres/postgres_internal.h"

enum { TURN_MS = 100 };

/* --- what errors mean --- */

static const struct {
    const char *state; /* or its beginning */
    enum fault fault;
    const char *advice;
} meanings[] = {
    { "08", FAULT_CONNECTION, NULL },
    { "57P01", FAULT_CONNECTION, NULL },
    { "57P02", FAULT_CONNECTION, NULL },
    { "57P03", FAULT_CONNECTION, NULL },
    { "25006", FAULT_CONNECTION, NULL },
    { "40003", FAULT_CONNECTION, NULL },
    { "40001", FAULT_BUSY, NULL },
    { "40P01", FAULT_BUSY, NULL },
    { "55P03", FAULT_BUSY, NULL },
    { "55006", FAULT_BUSY, NULL },
    { "57014", FAULT_BUSY, NULL },
    { "53", FAULT_BUSY, NULL },
    { "58030", FAULT_BUSY, NULL },
    { "54", FAULT_BUSY, NULL },
    { "42703", FAULT_STALE, NULL },
    { "42P01", FAULT_STALE, NULL },
    { "42804", FAULT_STALE, NULL },
    { "26000", FAULT_STALE, NULL },
    { "0A000", FAULT_STALE, NULL },
    { "22P04", FAULT_CONFIG, NULL }, /* COPY itself is wrong, not a row */
    { "22", FAULT_RECORD, NULL },
    { "23", FAULT_RECORD, NULL },
    { "44000", FAULT_RECORD, NULL },
    { "P0001", FAULT_RECORD, NULL },
    { "28", FAULT_CONFIG, "check 'connection.user' and 'connection.password'" },
    { "3D000", FAULT_CONFIG, "create the database, or name another in 'connection.url'" },
    { "3F000", FAULT_CONFIG, "create the schema, or name another in 'table.name.format'" },
    { "42501", FAULT_CONFIG, "GRANT what is missing to the user of the connector" },
    { "42P10", FAULT_CONFIG,
      "the columns of 'pk.fields' need a primary key or a unique index of their own" },
};

static size_t find_meaning(const char *state)
{
    size_t count = sizeof meanings / sizeof meanings[0];

    for (size_t i = 0; i < count; i++) {
        if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) == 0) {
            return i;
        }
    }
    return count;
}

static int report(struct session *s, const char *state, struct bytes message, struct error *err)
{
    static const enum error_code codes[] = {
        [FAULT_NONE] = ERR_SINK_FAILED,      [FAULT_CONNECTION] = ERR_SINK_UNAVAILABLE,
        [FAULT_BUSY] = ERR_SINK_UNAVAILABLE, [FAULT_STALE] = ERR_SINK_UNAVAILABLE,
        [FAULT_RECORD] = ERR_SINK_REFUSED,   [FAULT_CONFIG] = ERR_SINK_FAILED
    };
    size_t found = find_meaning(state);
    bool is_known = found < sizeof meanings / sizeof meanings[0];
    const char *advice = is_known ? meanings[found].advice : NULL;

    s->fault = is_known ? meanings[found].fault : FAULT_CONFIG;
    if (s->is_fence && strcmp(state, "22012") == 0) {
        s->fault = FAULT_CONNECTION;
        return error_set(err, ERR_FENCED, NO_POSITION,
                         "%.*s: another writer of this connector has taken over",
                         BYTES_ARG(s->place));
    }
    return error_set(err, codes[s->fault], NO_POSITION, "%.*s: %.*s (SQLSTATE %s)%s%s",
                     BYTES_ARG(s->place), BYTES_ARG(message), state, advice ? "; " : "",
                     advice ? advice : "");
}

static void take_field(const PGresult *result, int field, char *out)
{
    const char *text = PQresultErrorField(result, field);

    (void)snprintf(out, SINK_NAME_MAX, "%s", text ? text : "");
}

static int report_result(struct session *s, const PGresult *result, struct error *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    struct buffer text = { 0 };
    int code;

    buffer_append_text(&text, message ? message : "");
    if (detail && !s->hides_values) {
        buffer_printf(&text, ": %s", detail);
    }
    code = state ? report(s, state, buffer_bytes(&text), err) : session_broken(s, err);
    (void)snprintf(s->refusal.state, sizeof s->refusal.state, "%s", state ? state : "");
    take_field(result, PG_DIAG_TABLE_NAME, s->refusal.table);
    take_field(result, PG_DIAG_COLUMN_NAME, s->refusal.column);
    take_field(result, PG_DIAG_CONSTRAINT_NAME, s->refusal.constraint);
    buffer_fini(&text);
    return code;
}

static size_t line_begin(struct bytes text, size_t end)
{
    while (end > 0 && text.data[end - 1] != '\n') {
        end--;
    }
    return end;
}

/* The line of libpq's message that says most: the last one, but for hints, which are indented. */
static struct bytes last_line(const char *text)
{
    struct bytes all = java_trim(bytes_of(text));
    size_t end = all.len;
    size_t at = line_begin(all, end);

    while (at > 0 && all.data[at] == '\t') {
        end = at - 1;
        at = line_begin(all, end);
    }
    return (struct bytes){ all.data + at, end - at };
}

int session_broken(struct session *s, struct error *err)
{
    struct bytes why = s->conn ? last_line(PQerrorMessage(s->conn)) : bytes_of("");

    s->fault = FAULT_CONNECTION;
    return error_set(err, ERR_SINK_UNAVAILABLE, NO_POSITION, "%.*s: the connection is gone%s%.*s",
                     BYTES_ARG(s->place), why.len ? ": " : "", BYTES_ARG(why));
}

/* --- waiting --- */

static bool is_interrupted(const struct session *s)
{
    return s->interrupted && atomic_load(s->interrupted);
}

static int leave(struct session *s, struct error *err)
{
    s->fault = FAULT_CONNECTION;
    return error_set(err, ERR_SINK_UNAVAILABLE, NO_POSITION, "interrupted");
}

/* One turn: 1 when the socket is ready, 0 when it is not, below 0 when the wait must end. */
static int wait_turn(struct session *s, short events)
{
    struct pollfd at = { .fd = PQsocket(s->conn), .events = events };
    int ready;

    if (is_interrupted(s)) {
        return -1;
    }
    ready = poll(&at, 1, TURN_MS);
    return ready < 0 && errno != EINTR ? -1 : ready > 0;
}

int session_push(struct session *s, struct error *err)
{
    if (PQflush(s->conn) < 0 || !PQconsumeInput(s->conn)) {
        return session_broken(s, err);
    }
    return 0;
}

int session_flush(struct session *s, struct error *err)
{
    int unsent;

    while ((unsent = PQflush(s->conn)) > 0) {
        if (wait_turn(s, POLLIN | POLLOUT) < 0) {
            return leave(s, err);
        }
        if (!PQconsumeInput(s->conn)) {
            return session_broken(s, err);
        }
    }
    return unsent < 0 ? session_broken(s, err) : 0;
}

static int report_silence(struct session *s, struct error *err)
{
    s->fault = FAULT_CONNECTION;
    return error_set(err, ERR_SINK_UNAVAILABLE, NO_POSITION,
                     "%.*s did not answer in time; check that it runs and that 'connection.url' "
                     "names it",
                     BYTES_ARG(s->place));
}

static int wait_result(struct session *s, struct error *err)
{
    int64_t turns = s->answer_within_ms / TURN_MS;

    TRY(session_flush(s, err));
    while (PQisBusy(s->conn)) {
        int ready = wait_turn(s, POLLIN);

        if (ready < 0) {
            return leave(s, err);
        }
        if (ready == 0 && s->answer_within_ms > 0 && --turns <= 0) {
            return report_silence(s, err);
        }
        if (!PQconsumeInput(s->conn)) {
            return session_broken(s, err);
        }
    }
    return 0;
}

int session_result(struct session *s, PGresult **out, struct error *err)
{
    PGresult *result;
    int code = 0;

    TRY(wait_result(s, err));
    result = PQgetResult(s->conn);
    *out = result;
    if (!result) {
        return 0;
    }
    switch (PQresultStatus(result)) {
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
        code = report_result(s, result, err);
        break;
    case PGRES_PIPELINE_ABORTED:
        code = error_set(err, ERR_SINK_FAILED, NO_POSITION, "skipped");
        break;
    case PGRES_EMPTY_QUERY:
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_COPY_OUT:
    case PGRES_COPY_IN:
    case PGRES_COPY_BOTH:
    case PGRES_SINGLE_TUPLE:
    case PGRES_PIPELINE_SYNC:
        break;
    }
    if (code) {
        PQclear(result);
        *out = NULL;
    }
    return code;
}

/* The first error counts; what is behind it is read away. */
int session_settle(struct session *s, struct error *err)
{
    struct error first = { 0 };
    enum fault fault = FAULT_NONE;

    for (;;) {
        PGresult *result = NULL;
        struct error next = { 0 };

        if (session_result(s, &result, &next)) {
            if (!first.code) {
                first = next;
                fault = s->fault;
            }
            if (PQstatus(s->conn) == CONNECTION_BAD || s->fault == FAULT_CONNECTION) {
                break;
            }
            continue;
        }
        if (!result || PQresultStatus(result) == PGRES_COPY_IN) {
            PQclear(result);
            break;
        }
        PQclear(result);
    }
    if (first.code) {
        s->fault = fault;
        return error_set(err, first.code, NO_POSITION, "%s", first.message);
    }
    return 0;
}

/* --- statements --- */

static int collect(struct session *s, PGresult **out, struct error *err)
{
    PGresult *last = NULL;

    for (;;) {
        PGresult *result = NULL;
        int code = session_result(s, &result, err);

        if (code) {
            PQclear(last);
            (void)session_settle(s, NULL); /* what is behind an error says nothing new */
            return code;
        }
        if (!result) {
            break;
        }
        PQclear(last);
        last = result;
    }
    if (out) {
        *out = last;
    } else {
        PQclear(last);
    }
    return 0;
}

int session_run(struct session *s, const char *sql, PGresult **out, struct error *err)
{
    if (!PQsendQuery(s->conn, sql)) {
        return session_broken(s, err);
    }
    return collect(s, out, err);
}

int session_query(struct session *s, const char *sql, const struct text_parameters *parameters,
                  PGresult **out, struct error *err)
{
    if (!PQsendQueryParams(s->conn, sql, parameters->count, NULL, parameters->values, NULL, NULL,
                           0)) {
        return session_broken(s, err);
    }
    return collect(s, out, err);
}

bool session_has_failed_transaction(const struct session *s)
{
    return PQtransactionStatus(s->conn) == PQTRANS_INERROR;
}

/* --- connecting --- */

/* "FATAL:  28P01: password authentication failed ...": Postgres itself said no. */
static bool find_state(const char *text, char state[6], struct bytes *message)
{
    const char *at = strstr(text, "FATAL:  ");

    if (!at || strlen(at) < 15 || at[13] != ':') {
        return false;
    }
    memcpy(state, at + 8, 5);
    state[5] = '\0';
    *message = (struct bytes){ at + 15, strcspn(at + 15, "\n") };
    return true;
}

static int refused(struct session *s, struct error *err)
{
    const char *text = PQerrorMessage(s->conn);
    struct bytes message = { NULL, 0 };
    char state[6];

    if (find_state(text, state, &message)) {
        return report(s, state, message, err);
    }
    s->fault = FAULT_CONNECTION;
    return error_set(err, ERR_SINK_UNAVAILABLE, NO_POSITION,
                     "%.*s cannot be reached: %.*s; check that it runs and that 'connection.url' "
                     "names it",
                     BYTES_ARG(s->place), BYTES_ARG(last_line(text)));
}

static int poll_connection(struct session *s, int64_t timeout_ms, struct error *err)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    int64_t turns = timeout_ms / TURN_MS + 1;

    while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED) {
        int ready = wait_turn(s, status == PGRES_POLLING_READING ? POLLIN : POLLOUT);

        if (ready < 0) {
            return leave(s, err);
        }
        if (ready == 0 && --turns <= 0) {
            return report_silence(s, err);
        }
        if (ready > 0) {
            status = PQconnectPoll(s->conn);
        }
    }
    return status == PGRES_POLLING_OK ? 0 : refused(s, err);
}

static void ignore_notice(void *context, const PGresult *result)
{
    /* "relation exists already, skipping" is of no interest to anybody */
}

int session_open(struct session *s, const struct connect_parameters *parameters,
                 struct arena *arena, struct error *err)
{
    s->place = arena_printf(arena, "Postgres at %.*s:%.*s, database %.*s, user %.*s",
                            BYTES_ARG(parameters->host), BYTES_ARG(parameters->port),
                            BYTES_ARG(parameters->database), BYTES_ARG(parameters->user));
    s->conn = PQconnectStartParams(parameters->keywords, parameters->values, 0);
    if (!s->conn || PQstatus(s->conn) == CONNECTION_BAD) {
        return s->conn ? refused(s, err) : session_broken(s, err);
    }
    (void)PQsetErrorVerbosity(s->conn, PQERRORS_VERBOSE); /* it has the SQLSTATE */
    (void)PQsetNoticeReceiver(s->conn, ignore_notice, NULL);
    TRY(poll_connection(s, parameters->timeout_ms, err));
    return PQsetnonblocking(s->conn, 1) ? session_broken(s, err) : 0;
}

void session_close(struct session *s)
{
    if (s->conn) {
        PQfinish(s->conn);
        s->conn = NULL;
    }
}
