// SPDX-License-Identifier: Apache-2.0
// The seam for what every architecture has, each in its own words. An architecture defines this list whole.
#ifndef ARCH_V1MODEL_EXTERNS_P4
#define ARCH_V1MODEL_EXTERNS_P4

#include <core.p4>
#define V1MODEL_VERSION 20200408  // counters and meters say what indexes them
#include <v1model.p4>

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
#define REGISTER(name, value_t, index_t, size)  register<value_t, index_t>(size) name
#define READ(name, value, index)           name.read(value, index)
#define WRITE(name, index, value)          name.write(index, value)
#define CRC32(result, ...)                 hash(result, HashAlgorithm.crc32, 32w0, { __VA_ARGS__ }, 33w0x1_0000_0000)
#define CSUM16(result, ...)                hash(result, HashAlgorithm.csum16, 16w0, { __VA_ARGS__ }, 17w0x1_0000)
#define LEARN(type, ...)                   digest<type>(1, { __VA_ARGS__ })
#define SELECTOR(name, size, width)        action_selector(HashAlgorithm.crc32, size, width) name
#define SELECTED_BY(name)                  implementation = name
#define IDLE_TIMEOUT                       support_timeout = true

#endif
