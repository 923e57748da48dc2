/*
 * run_script.h: RUN SCRIPT in a text: the text cut at these statements.
 *
 * Whoever runs a text runs its parts in order, each as a text of its own: what stands before a
 * RUN SCRIPT has run when the file is read.
 */
#ifndef SLUICE_CLI_RUN_SCRIPT_H
#define SLUICE_CLI_RUN_SCRIPT_H

#include "engine/command/engine.h"

enum { RUN_SCRIPT_DEPTH_MAX = 16 }; /* files that run files */

struct text_part {
    struct bytes text;  /* behind blanks, so that places are those in the whole */
    const char *file;   /* instead: the name of a file to run; else NULL */
    struct position at; /* of its RUN SCRIPT */
};

/* One part, the text itself, where it has no such statement or is no script. In the arena. */
uint32_t run_script_cut(struct session *session, struct bytes text, struct arena *arena,
                        struct text_part **out);

#endif
