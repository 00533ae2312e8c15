/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes over bytes: see snic_hash.h. */
#include "snic_hash.h"

#include <stdlib.h>

/* ---- CRCs, by tables ----
 *
 * The remainder of a byte is the exclusive or of those of its bits, so eight numbers make a table of 256.
 */
#define ENTRY(byte, t0, t1, t2, t3, t4, t5, t6, t7)                                                                    \
    (((byte) & 1 ? t0 : 0) ^ ((byte) & 2 ? t1 : 0) ^ ((byte) & 4 ? t2 : 0) ^ ((byte) & 8 ? t3 : 0) ^                   \
     ((byte) & 16 ? t4 : 0) ^ ((byte) & 32 ? t5 : 0) ^ ((byte) & 64 ? t6 : 0) ^ ((byte) & 128 ? t7 : 0))
#define FOUR(byte, ...)                                                                                                \
    ENTRY(byte, __VA_ARGS__), ENTRY((byte) + 1, __VA_ARGS__), ENTRY((byte) + 2, __VA_ARGS__),                          \
        ENTRY((byte) + 3, __VA_ARGS__)
#define SIXTEEN(byte, ...)                                                                                             \
    FOUR(byte, __VA_ARGS__), FOUR((byte) + 4, __VA_ARGS__), FOUR((byte) + 8, __VA_ARGS__),                             \
        FOUR((byte) + 12, __VA_ARGS__)
#define SIXTY_FOUR(byte, ...)                                                                                          \
    SIXTEEN(byte, __VA_ARGS__), SIXTEEN((byte) + 16, __VA_ARGS__), SIXTEEN((byte) + 32, __VA_ARGS__),                  \
        SIXTEEN((byte) + 48, __VA_ARGS__)
#define TABLE(...)                                                                                                     \
    {                                                                                                                  \
        SIXTY_FOUR(0, __VA_ARGS__), SIXTY_FOUR(64, __VA_ARGS__), SIXTY_FOUR(128, __VA_ARGS__),                         \
            SIXTY_FOUR(192, __VA_ARGS__)                                                                               \
    }

/* Remainders of 0x01, 0x02, 0x04 ... 0x80. */
static const uint8_t crc8_table[256] = TABLE(0x07, 0x0e, 0x1c, 0x38, 0x70, 0xe0, 0xc7, 0x89);
static const uint16_t crc16_table[256] = TABLE(0xc0c1, 0xc181, 0xc301, 0xc601, 0xcc01, 0xd801, 0xf001, 0xa001);
static const uint16_t ccitt_table[256] = TABLE(0x1021, 0x2042, 0x4084, 0x8108, 0x1231, 0x2462, 0x48c4, 0x9188);
/* Of a byte that 0, 1, 2, 3 zero bytes follow: four bytes in one step take as long as one. */
static const uint32_t crc32_tables[4][256] = {
    TABLE(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832, 0x1db71064, 0x3b6e20c8, 0x76dc4190, 0xedb88320),
    TABLE(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08, 0x4ac21251, 0x958424a2, 0xf0794f05, 0x3b83984b),
    TABLE(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8, 0x1c26a370, 0x384d46e0, 0x709a8dc0, 0xe1351b80),
    TABLE(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef, 0x5019579f, 0xa032af3e, 0x9b14583d, 0xed59b63b),
};
static const uint64_t crc64_table[256] =
    TABLE(0x01b0000000000000, 0x0360000000000000, 0x06c0000000000000, 0x0d80000000000000, 0x1b00000000000000,
          0x3600000000000000, 0x6c00000000000000, 0xd800000000000000);

uint64_t snic_crc8(const uint8_t *data, size_t size)
{
    uint8_t remainder = 0;
    for (size_t at = 0; at < size; at++)
        remainder = crc8_table[remainder ^ data[at]];
    return remainder;
}

uint64_t snic_crc16(const uint8_t *data, size_t size)
{
    uint16_t remainder = 0;
    for (size_t at = 0; at < size; at++)
        remainder = (uint16_t)(crc16_table[(remainder ^ data[at]) & 0xff] ^ remainder >> 8);
    return remainder;
}

uint64_t snic_crc_ccitt(const uint8_t *data, size_t size)
{
    uint16_t remainder = 0xffff;
    for (size_t at = 0; at < size; at++)
        remainder = (uint16_t)(ccitt_table[remainder >> 8 ^ data[at]] ^ remainder << 8);
    return remainder;
}

uint64_t snic_crc32(const uint8_t *data, size_t size)
{
    uint32_t remainder = UINT32_MAX;
    size_t at = 0;
    for (; at + 4 <= size; at += 4) {
        remainder ^= (uint32_t)data[at] | (uint32_t)data[at + 1] << 8 | (uint32_t)data[at + 2] << 16 |
                     (uint32_t)data[at + 3] << 24;
        remainder = crc32_tables[3][remainder & 0xff] ^ crc32_tables[2][remainder >> 8 & 0xff] ^
                    crc32_tables[1][remainder >> 16 & 0xff] ^ crc32_tables[0][remainder >> 24];
    }
    for (; at < size; at++)
        remainder = crc32_tables[0][(remainder ^ data[at]) & 0xff] ^ remainder >> 8;
    return ~remainder;
}

uint64_t snic_crc64(const uint8_t *data, size_t size)
{
    uint64_t remainder = 0;
    for (size_t at = 0; at < size; at++)
        remainder = crc64_table[(remainder ^ data[at]) & 0xff] ^ remainder >> 8;
    return remainder;
}

/* ---- exclusive ors ---- */

static uint64_t xor_fold(const uint8_t *data, size_t size, uint32_t word)
{
    uint64_t total = 0;
    for (; size >= word; data += word, size -= word)
        total ^= snic_load_bytes(data, word);
    return total ^ snic_load_bytes(data, (uint32_t)size) << 8 * (word - size);
}

uint64_t snic_xor16(const uint8_t *data, size_t size)
{
    return xor_fold(data, size, 2);
}

uint64_t snic_xor32(const uint8_t *data, size_t size)
{
    return xor_fold(data, size, 4);
}

uint64_t snic_fnv_mix(const uint8_t *data, size_t size)
{
    uint32_t value = 2166136261u;
    for (size_t at = 0; at < size; at++) /* bytes are signed, as C++'s char is on x86 */
        value = (value ^ (uint32_t)(int32_t)(int8_t)data[at]) * 16777619u;
    value += value << 13;
    value ^= value >> 7;
    value += value << 3;
    value ^= value >> 17;
    return value + (value << 5);
}

/* ---- XXH64 (the published algorithm) ---- */

static const uint64_t P1 = 0x9e3779b185ebca87, P2 = 0xc2b2ae3d27d4eb4f, P3 = 0x165667b19e3779f9,
                      P4 = 0x85ebca77c2b2ae63, P5 = 0x27d4eb2f165667c5;

static uint64_t rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static uint64_t little_endian(const uint8_t *data, uint32_t count)
{
    uint64_t value = 0;
    memcpy(&value, data, count);
    return value;
}

static uint64_t mix(uint64_t accumulator, uint64_t lane)
{
    return rotate(accumulator + lane * P2, 31) * P1;
}

static uint64_t xxh64_seeded(const uint8_t *data, size_t size, uint64_t seed)
{
    static const unsigned turns[4] = {1, 7, 12, 18};
    const uint8_t *end = data + size;
    uint64_t value = seed + P5;
    if (size >= 32) {
        uint64_t lanes[4] = {seed + P1 + P2, seed + P2, seed, seed - P1};
        for (; end - data >= 32; data += 32)
            for (int at = 0; at < 4; at++)
                lanes[at] = mix(lanes[at], little_endian(data + 8 * at, 8));
        value = 0;
        for (int at = 0; at < 4; at++)
            value += rotate(lanes[at], turns[at]);
        for (int at = 0; at < 4; at++)
            value = (value ^ mix(0, lanes[at])) * P1 + P4;
    }
    value += size;
    for (; end - data >= 8; data += 8)
        value = rotate(value ^ mix(0, little_endian(data, 8)), 27) * P1 + P4;
    if (end - data >= 4) {
        value = rotate(value ^ little_endian(data, 4) * P1, 23) * P2 + P3;
        data += 4;
    }
    for (; data < end; data++)
        value = rotate(value ^ *data * P5, 11) * P1;
    value = (value ^ value >> 33) * P2;
    value = (value ^ value >> 29) * P3;
    return value ^ value >> 32;
}

uint64_t snic_xxh64(const uint8_t *data, size_t size)
{
    return xxh64_seeded(data, size, 0);
}

/* ---- round robins ---- */

#define REMEMBERED (1u << 16)
#define SLOTS (2 * REMEMBERED)

/* An open hash table of what was seen, by two hashes of it; `turn` is 1 + its number, 0 in a free slot. */
struct snic_remembered {
    struct {
        uint64_t first, second;
        uint32_t turn;
    } slots[SLOTS];
};

void snic_round_robin_open(struct snic_round_robin *state)
{
    *state = (struct snic_round_robin){.calls = 0};
    pthread_spin_init(&state->lock, PTHREAD_PROCESS_PRIVATE);
}

void snic_round_robin_close(struct snic_round_robin *state)
{
    free(state->remembered);
    pthread_spin_destroy(&state->lock);
}

static uint64_t turn_of(struct snic_round_robin *state, uint64_t first, uint64_t second)
{
    struct snic_remembered *seen = state->remembered;
    uint32_t at = (uint32_t)first % SLOTS;
    for (; seen->slots[at].turn != 0; at = (at + 1) % SLOTS)
        if (seen->slots[at].first == first && seen->slots[at].second == second)
            return seen->slots[at].turn - 1;
    if (state->calls == REMEMBERED) {
        memset(seen, 0, sizeof *seen);
        state->calls = 0;
        at = (uint32_t)first % SLOTS;
    }
    seen->slots[at].first = first;
    seen->slots[at].second = second;
    seen->slots[at].turn = (uint32_t)++state->calls;
    return state->calls - 1;
}

uint64_t snic_round_robin_consistent(struct snic_round_robin *state, const uint8_t *data, size_t size)
{
    uint64_t first = xxh64_seeded(data, size, 0), second = xxh64_seeded(data, size, P3), turn = 0;
    pthread_spin_lock(&state->lock);
    if (state->remembered == NULL)
        state->remembered = calloc(1, sizeof *state->remembered);
    if (state->remembered != NULL) /* without memory every input is the first */
        turn = turn_of(state, first, second);
    pthread_spin_unlock(&state->lock);
    return turn;
}
