/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way to a packet's bytes: a cursor that cannot pass the end.
 *
 * A cursor borrows the bytes between `p` and `end`; it belongs to one thread. Sizes are in bytes.
 */
#ifndef SNIC_CURSOR_H
#define SNIC_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct snic_cursor {
    const uint8_t *p; /* next byte */
    const uint8_t *end;
};

static inline bool snic_has(const struct snic_cursor *cursor, uint64_t bytes)
{
    return bytes <= (uint64_t)(cursor->end - cursor->p);
}

/* The next `bytes` bytes, which the cursor moves past. NULL, and no move, if there are fewer. */
static inline const uint8_t *snic_take(struct snic_cursor *cursor, uint64_t bytes)
{
    const uint8_t *taken = cursor->p;
    if (!snic_has(cursor, bytes))
        return NULL;
    cursor->p += bytes;
    return taken;
}

/* Whether a transition key equals `value` in the bits of `mask`; `value` has no others. */
static inline bool snic_masked_equal(const uint8_t *key, const uint8_t *value, const uint8_t *mask, size_t bytes)
{
    uint8_t difference = 0;
    for (size_t at = 0; at < bytes; at++)
        difference |= (key[at] & mask[at]) ^ value[at];
    return difference == 0;
}

/* Where the cursor stands, if `bytes` bytes are left; else the statement `otherwise`, which leaves the parser. */
#define SNIC_AHEAD(cursor, bytes, otherwise) \
    ({                                       \
        if (!snic_has((cursor), (bytes)))    \
            otherwise                        \
        (cursor)->p;                         \
    })

#endif
