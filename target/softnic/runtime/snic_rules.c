/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_rules.h"

static bool matches_field(const struct snic_key_field *field, const uint8_t *key, const uint8_t *there,
                          const uint8_t *mask)
{
    if (field->match == SNIC_RANGE)
        return memcmp(key, there, field->bytes) >= 0 && memcmp(key, mask, field->bytes) <= 0;
    for (uint32_t i = 0; i < field->bytes; i++)
        if ((key[i] ^ there[i]) & mask[i])
            return false;
    return true;
}

bool snic_rule_matches_fields(const struct snic_rules *rules, uint32_t cell, const uint8_t *key)
{
    const uint8_t *there = snic_cell_key(rules->cells, cell), *mask = snic_cell_mask(rules->cells, cell);

    for (uint32_t i = 0; i < rules->desc->n_fields; i++) {
        const struct snic_key_field *field = &rules->desc->fields[i];
        if (!matches_field(field, key + field->offset, there + field->offset, mask + field->offset))
            return false;
    }
    return true;
}

/* Whole bytes that both ends of a range begin with. */
static uint32_t common_bytes(const uint8_t *low, const uint8_t *high, uint32_t bytes)
{
    uint32_t common = 0;

    while (common < bytes && low[common] == high[common])
        common++;
    return common;
}

void snic_rule_cares(const struct snic_rules *rules, uint32_t cell, uint8_t *cares)
{
    const uint8_t *there = snic_cell_key(rules->cells, cell), *mask = snic_cell_mask(rules->cells, cell);

    memcpy(cares, mask, rules->cells->key_room);
    for (uint32_t i = 0; i < rules->desc->n_fields; i++) {
        const struct snic_key_field *field = &rules->desc->fields[i];
        if (field->match != SNIC_RANGE)
            continue;
        uint32_t common = common_bytes(there + field->offset, mask + field->offset, field->bytes);
        memset(cares + field->offset, 0xff, common);
        memset(cares + field->offset + common, 0, field->bytes - common);
    }
}
