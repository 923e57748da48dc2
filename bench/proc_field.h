/*
 * proc_field.h: a number of a process, as the system tells it.
 */
#ifndef SLUICE_BENCH_PROC_FIELD_H
#define SLUICE_BENCH_PROC_FIELD_H

/* Of a file like /proc/self/status, "VmRSS:"; what several lines say is added. -1: it has none. */
long proc_field(const char *file, const char *field);

#endif
