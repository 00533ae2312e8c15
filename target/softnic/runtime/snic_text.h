/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line for log_msg, made on the caller's stack: what does not fit is cut off.
 */
#ifndef SNIC_TEXT_H
#define SNIC_TEXT_H

#include "snic_wide.h"

#define SNIC_TEXT_BYTES 2048u

struct snic_text {
    uint32_t length;
    char bytes[SNIC_TEXT_BYTES];
};

void snic_text_add(struct snic_text *text, const char *piece);
/* Decimal; `negative_possible`: the top bit is a sign. */
void snic_text_add128(struct snic_text *text, snic_u128 value, bool negative_possible);
void snic_text_add_wide(struct snic_text *text, struct snic_wide value);

static inline void snic_text_add64(struct snic_text *text, uint64_t value, bool negative_possible)
{
    snic_text_add128(text, negative_possible ? (snic_u128)(snic_i128)(int64_t)value : value, negative_possible);
}

/* To the worker's sink. */
void snic_text_log(struct snic_worker *worker, struct snic_text *text);

#endif
