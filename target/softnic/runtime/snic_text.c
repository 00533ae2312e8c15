/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for log_msg: see snic_text.h. */
#include "snic_text.h"

static void add_character(struct snic_text *text, char character)
{
    if (text->length < SNIC_TEXT_BYTES - 1)
        text->bytes[text->length++] = character;
}

void snic_text_add(struct snic_text *text, const char *piece)
{
    for (; *piece != '\0'; piece++)
        add_character(text, *piece);
}

void snic_text_add128(struct snic_text *text, snic_u128 value, bool negative_possible)
{
    char digits[40];
    uint32_t count = 0;
    if (negative_possible && (snic_i128)value < 0) {
        add_character(text, '-');
        value = -value;
    }
    do {
        digits[count++] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value > 0);
    while (count > 0)
        add_character(text, digits[--count]);
}

/* Divides by 10; yields the remainder. */
static uint32_t next_digit(struct snic_wide *value)
{
    snic_u128 rest = 0;
    for (uint32_t at = SNIC_WIDE_LIMBS; at-- > 0;) {
        rest = rest << 64 | value->limb[at];
        value->limb[at] = (uint64_t)(rest / 10);
        rest %= 10;
    }
    return (uint32_t)rest;
}

void snic_text_add_wide(struct snic_text *text, struct snic_wide value)
{
    char digits[SNIC_WIDE_BITS / 3];
    uint32_t count = 0;
    struct snic_wide zero = snic_wide_of(NULL, 0, false);
    if (snic_wide_negative(value)) {
        add_character(text, '-');
        value = snic_wide_subtract(zero, value);
    }
    do {
        digits[count++] = (char)('0' + next_digit(&value));
    } while (!snic_wide_equal(value, zero));
    while (count > 0)
        add_character(text, digits[--count]);
}

void snic_text_log(struct snic_worker *worker, struct snic_text *text)
{
    text->bytes[text->length] = '\0';
    if (!worker->sink.log(worker->sink.context, text->bytes))
        snic_anomaly(worker, SNIC_LOG_LOST);
}
