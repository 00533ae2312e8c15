// SPDX-License-Identifier: Apache-2.0
// The seam for what every architecture has, each in its own words. An architecture defines this list whole.
#ifndef ARCH_V1MODEL_EXTERNS_P4
#define ARCH_V1MODEL_EXTERNS_P4

#include <core.p4>
#define V1MODEL_VERSION 20200408  // counters and meters say what indexes them
#include <v1model.p4>

const bit<8> PUNT_FIELDS = 1;  // field list of what travels with a clone

enum bit<8> color_t {
    GREEN  = 0,
    YELLOW = 1,
    RED    = 2
}

#define DIRECT_COUNTER(name)               direct_counter(CounterType.packets_and_bytes) name
#define COUNTED_BY(name)                   counters = name
#define COUNTER(name, index_t, size)       counter<index_t>(size, CounterType.packets_and_bytes) name
#define COUNT(name, index)                 name.count(index)
#define METER(name, index_t, size)         meter<index_t>(size, MeterType.packets) name
#define EXECUTE_METER(name, index, color)  name.execute_meter(index, color)
#define CRC32(result, ...)                 hash(result, HashAlgorithm.crc32, 32w0, { __VA_ARGS__ }, 33w0x1_0000_0000)
#define PRESERVED_BY_CLONE                 @field_list(PUNT_FIELDS)

#endif
