/*
 * pause.c: PAUSE and RESUME: queries stop reading for a while; offsets and state stay.
 *
 * Whether a query is paused is part of the catalog, so it is the same after a restart.
 */
#include "engine/command/command_internal.h"

static int change_pause(struct command *command, bool pauses, struct change *out, struct error *err)
{
    const struct ast_query_ref *ref = &command->statement->query_ref;

    out->type = pauses ? "pause" : "resume";
    out->entity = ref->all ? bytes_of("ALL") : ref->name.text;
    out->action = "execute";
    TRY(query_ref_find(command, &out->paused, &out->paused_count, err));
    for (uint32_t i = 0; i < out->paused_count; i++) {
        struct query_entry entry = *catalog_find_query(command->catalog, out->paused[i]);

        entry.paused = pauses;
        catalog_put_query(command->catalog, &entry);
    }
    out->pauses = pauses;
    out->sql = planning_canonical(command->arena, command->statement, NULL);
    out->message = bytes_of(pauses ? "Query paused." : "Query resumed.");
    return 0;
}

int pause_change(struct command *command, struct change *out, struct error *err)
{
    return change_pause(command, true, out, err);
}

int resume_change(struct command *command, struct change *out, struct error *err)
{
    return change_pause(command, false, out, err);
}
