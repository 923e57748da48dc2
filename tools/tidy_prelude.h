/*
 * tidy_prelude.h: read before each file under clang-tidy.
 *
 * The analyser sees one file at a time and so not that error_set never returns 0;
 * without that, every out-parameter behind a TRY looks unset.
 */
#ifndef SLUICE_TOOLS_TIDY_PRELUDE_H
#define SLUICE_TOOLS_TIDY_PRELUDE_H

#include "base/error.h"

#define error_set(err, code, ...) ((void)(error_set)((err), (code), __VA_ARGS__), (int)(code))

#endif
