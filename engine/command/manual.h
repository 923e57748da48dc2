/*
 * manual.h: what the table of commands says about each kind of statement, for `sluice help`
 * and the reference pages.
 *
 * Syntax: words in capitals as they are, others stand for something; [ ] may be left out, { }
 * may be repeated or left out, ( | ) is a choice.
 */
#ifndef SLUICE_ENGINE_COMMAND_MANUAL_H
#define SLUICE_ENGINE_COMMAND_MANUAL_H

#include "parser/ast.h"

/* A part of a statement that is known and refused with ERR_UNSUPPORTED. */
struct manual_gap {
    const char *what;
    const char *statement; /* one that is refused for it; runs behind manual_setup */
};

enum { MANUAL_GAPS_MAX = 12 };

struct statement_manual {
    const char *syntax; /* lines */
    const char *doc;
    const char *example;                     /* runs behind manual_setup; NULL: none */
    struct manual_gap gaps[MANUAL_GAPS_MAX]; /* what NULL at the end */
    const char
        *refusal; /* why an engine refuses it, behind "it"; NULL: it does not, or as not built */
};

/* Statements that make what the examples read. */
extern const char manual_setup[];

const struct statement_manual *manual_find(enum ast_statement_kind kind);
bool manual_is_built(enum ast_statement_kind kind);

#endif
