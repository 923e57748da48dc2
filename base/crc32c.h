/*
 * crc32c.h: the Castagnoli checksum, as RocksDB and Kafka use it.
 */
#ifndef SLUICE_BASE_CRC32C_H
#define SLUICE_BASE_CRC32C_H

#include "base/bytes.h"

uint32_t crc32c(struct bytes data);

#endif
