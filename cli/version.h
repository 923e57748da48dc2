/*
 * version.h: the version of this program.
 */
#ifndef SLUICE_CLI_VERSION_H
#define SLUICE_CLI_VERSION_H

#define SLUICE_VERSION "0.1.0"

#endif
