/* tests/p4/labels.p4: compiled by softnic from a BMv2 JSON; do not edit. */
#include "snic_packet.h"
#include "snic_cursor.h"
#include "snic_bits.h"
#include "snic_words.h"
#include "snic_arith.h"
#include "snic_wide.h"
#include "snic_packet_api.h"
#include "snic_hash.h"
#include "snic_checksum.h"
#include "snic_text.h"
#include "snic_uniform.h"

enum {
    VECTOR = 32,
    INGRESS_STAGES = 0,
    EGRESS_STAGES = 0,
    HEADERS_MAX_BYTES = 44,
};
#define PACKETS_IN_REGISTERS 0

struct packet {
    struct snic_packet base;
    uint64_t valid[1];
    uint16_t stack_size[1];
    struct {
        uint32_t tmp;
        uint8_t tmp_0;
        uint8_t tmp_2;
    } scalars;
    struct {
        uint16_t ingress_port;
        uint16_t egress_spec;
        uint16_t egress_port;
        uint32_t instance_type;
        uint32_t packet_length;
        uint32_t enq_timestamp;
        uint32_t enq_qdepth;
        uint32_t deq_timedelta;
        uint32_t deq_qdepth;
        uint64_t ingress_global_timestamp;
        uint64_t egress_global_timestamp;
        uint16_t mcast_grp;
        uint16_t egress_rid;
        uint8_t checksum_error;
        uint32_t parser_error;
        uint8_t priority;
        uint8_t p4_padding;
    } standard_metadata;
    _Alignas(8) uint8_t options[32];
    uint32_t options_varbit_bits;
    _Alignas(8) uint8_t labels[4][8];
    uint8_t pad[16]; /* loads of 8 bytes may touch what follows a header */
};

/* Where a packet that waits for a table goes on, and with what. */
struct parked {
    uint64_t token;
    uint32_t at;
    _Alignas(8) uint8_t key[8];
};

enum {
    valid_options = 0,
    valid_labels = 1,
    VALIDITY_BITS = 5,
};

/* ---- calculations ---- */

/* ---- parser ---- */

static inline void program_parse(struct snic_worker *w, struct packet *p)
{
    struct snic_cursor cursor = {p->base.bytes, p->base.bytes + p->base.bytes_length};
    struct snic_cursor *c = &cursor;
    uint32_t states_left = 4096;
    p->base.parser_error = 0;
start:
    if (states_left-- == 0)
        goto endless;
    {
        uint32_t at = p->stack_size[0];
        if (at >= 3)
            goto stack_out_of_bounds;
        const uint8_t *bytes = snic_take(c, 4);
        if (bytes == NULL)
            goto packet_too_short;
        snic_set_bit(p->valid, valid_labels + at);
        memcpy(p->labels[at], bytes, 4);
        p->stack_size[0]++;
    }
    {
        uint64_t key = (uint64_t)({ const uint32_t at = snic_element(w, (uint64_t)p->stack_size[0] - 1, 3); snic_load64(p->labels[at], 23, 1); });
        switch (key) {
            case 0x1: goto parse_payload;
            case 0x0: goto start;
            default: break;
        }
    }
    goto accept;
parse_payload:
    if (states_left-- == 0)
        goto endless;
    p->scalars.tmp_0 = snic_load64(SNIC_AHEAD(c, 1, goto packet_too_short;), 0, 8);
    {
        uint64_t key = (uint64_t)p->scalars.tmp_0 << 8 | (uint64_t)({ const uint32_t at = snic_element(w, (uint64_t)p->stack_size[0] - 1, 3); snic_load64(p->labels[at], 20, 3); });
        if ((key & 0xe007) == 0x7)
            goto parse_options;
        if ((key & 0xf000) == 0x2000)
            goto skip;
    }
    goto accept;
parse_options:
    if (states_left-- == 0)
        goto endless;
    p->scalars.tmp_2 = snic_load64(SNIC_AHEAD(c, 1, goto packet_too_short;), 0, 8);
    p->scalars.tmp = ((uint64_t)p->scalars.tmp_2 & 0xffffffffu) << 3;
    {
        uint64_t bits = p->scalars.tmp;
        if (bits % 8 != 0)
            goto invalid_argument;
        if (!snic_has(c, 1 + bits / 8))
            goto packet_too_short;
        if (bits > 248)
            goto header_too_short;
        size_t length = 1 + bits / 8;
        snic_set_bit(p->valid, valid_options);
        memcpy(p->options, snic_take(c, length), length);
        memset(p->options + length, 0, sizeof p->options - length);
        p->options_varbit_bits = (uint32_t)bits;
    }
    goto accept;
skip:
    if (states_left-- == 0)
        goto endless;
    {
        uint64_t bits = 16u;
        if (bits % 8 != 0)
            goto invalid_argument;
        if (snic_take(c, bits / 8) == NULL)
            goto packet_too_short;
    }
accept:
    if (states_left == 0)
        goto endless;
    goto ended;
packet_too_short:
    p->base.parser_error = 1;
    goto ended;
stack_out_of_bounds:
    p->base.parser_error = 3;
    goto ended;
header_too_short:
    p->base.parser_error = 4;
    goto ended;
invalid_argument:
    p->base.parser_error = 6;
    goto ended;
endless:
    snic_anomaly(w, SNIC_PARSER_ENDLESS);
    p->base.parser_error = 5;
ended:
    p->base.payload = c->p;
    p->base.payload_length = (uint32_t)(c->end - c->p);
}

/* ---- checksums and deparser ---- */

static inline void program_before_deparsing(struct snic_worker *w, struct packet *p)
{
    (void)w;
    (void)p;
}

SNIC_FOLDED uint32_t program_headers_bytes(const struct packet *p)
{
    uint32_t bytes = 0;
    if (snic_bit(p->valid, valid_labels + 0)) {
        bytes += 4u;
    }
    if (snic_bit(p->valid, valid_labels + 1)) {
        bytes += 4u;
    }
    if (snic_bit(p->valid, valid_labels + 2)) {
        bytes += 4u;
    }
    if (snic_bit(p->valid, valid_options)) {
        bytes += (1u + p->options_varbit_bits / 8);
    }
    return bytes;
}

/* Writes all valid headers in front of `at`; returns where the first begins. */
SNIC_FOLDED uint8_t *program_emit_headers(const struct packet *p, uint8_t *at)
{
    if (snic_bit(p->valid, valid_options)) {
        at -= (1u + p->options_varbit_bits / 8);
        memcpy(at, p->options, (1u + p->options_varbit_bits / 8));
    }
    if (snic_bit(p->valid, valid_labels + 2)) {
        at -= 4u;
        memcpy(at, p->labels[2], 4u);
    }
    if (snic_bit(p->valid, valid_labels + 1)) {
        at -= 4u;
        memcpy(at, p->labels[1], 4u);
    }
    if (snic_bit(p->valid, valid_labels + 0)) {
        at -= 4u;
        memcpy(at, p->labels[0], 4u);
    }
    return at;
}

/* ---- actions ---- */

static inline void action__labels58(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* labels.p4:58 */
    p->standard_metadata.egress_spec = 2u;
}

static inline void action__labels60(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* labels.p4:60 */
    {
        const uint32_t by = snic_at_most(1u, 3);
        p->stack_size[0] = p->stack_size[0] > by ? p->stack_size[0] - by : 0;
        for (uint32_t to = 0; by > 0 && to < 3; to++) {
            if (to + by < 3) {
                const uint32_t from = to + by;
                if (snic_bit(p->valid, valid_labels + from)) {
                    snic_set_bit(p->valid, valid_labels + to);
                    memmove(p->labels[to], p->labels[from], sizeof p->labels[to]);
                } else {
                    memset(p->labels[to], 0, sizeof p->labels[to]);
                    snic_clear_bit(p->valid, valid_labels + to);
                }
            } else {
                memset(p->labels[to], 0, sizeof p->labels[to]);
                snic_clear_bit(p->valid, valid_labels + to);
            }
        }
    }
}

static inline void action__labels56(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* labels.p4:56 */
    p->standard_metadata.egress_spec = 1u;
}

/* ---- ingress ---- */

static inline uint32_t program_ingress(struct snic_worker *w, struct packet *p, struct parked *k)
{
    (void)k;
    action__labels56(w, p, NULL); /* labels.p4:56 */
    if (p->standard_metadata.parser_error != 0u) { /* labels.p4:57 */
        goto tbl_labels58;
    }
    if (snic_bit(p->valid, valid_labels + 1)) { /* labels.p4:59 */
        goto tbl_labels60;
    }
    goto end;
tbl_labels60:
    action__labels60(w, p, NULL); /* labels.p4:60 */
    goto end;
tbl_labels58:
    action__labels58(w, p, NULL); /* labels.p4:58 */
end:
    p->base.exited = false;
    return 0;
}

static inline void program_ingress_advance(struct snic_worker *w, struct parked *k, uint32_t stage)
{
    (void)w;
    (void)k;
    switch (stage) {
        default: break;
    }
}

/* ---- egress ---- */

static inline uint32_t program_egress(struct snic_worker *w, struct packet *p, struct parked *k)
{
    (void)w;
    (void)k;
    p->base.exited = false;
    return 0;
}

static inline void program_egress_advance(struct snic_worker *w, struct parked *k, uint32_t stage)
{
    (void)w;
    (void)k;
    switch (stage) {
        default: break;
    }
}

/* ---- the architecture ---- */

SNIC_FOLDED void program_set_instance_type(struct packet *p, uint32_t value)
{
    (void)p;
    (void)value;
}

SNIC_FOLDED void program_set_packet_length(struct packet *p, uint32_t value)
{
    (void)p;
    (void)value;
}

SNIC_FOLDED void program_set_ingress_port(struct packet *p, uint32_t value)
{
    (void)p;
    (void)value;
}

SNIC_FOLDED void program_set_egress_rid(struct packet *p, uint32_t value)
{
    (void)p;
    (void)value;
}

SNIC_FOLDED void program_set_priority(struct packet *p, uint32_t value)
{
    p->standard_metadata.priority = value & 7u;
}

SNIC_FOLDED uint32_t program_egress_spec(const struct packet *p)
{
    return (uint32_t)p->standard_metadata.egress_spec;
}

SNIC_FOLDED uint32_t program_mcast_grp(const struct packet *p)
{
    return (uint32_t)p->standard_metadata.mcast_grp;
}

SNIC_FOLDED void program_received(struct snic_worker *w, struct packet *p)
{
    (void)w;
    (void)p;
}

SNIC_FOLDED void program_parsed(struct snic_worker *w, struct packet *p)
{
    (void)w;
    p->standard_metadata.parser_error = (uint32_t)p->base.parser_error;
}

/* Through the queue, which takes no time, into egress. */
SNIC_FOLDED void program_enter_egress(struct snic_worker *w, struct packet *p)
{
    (void)w;
    /* Anything but the drop port: simple_switch has the drop port + 1, which in 9 bits is 0. */
    p->standard_metadata.egress_spec = 0u & 511u;
}

/* Clears all metadata but the fields of a list, 1 + its index (0: of none), which come from `origin`. */
static void program_keep_metadata(struct packet *p, const struct packet *origin, uint32_t fields)
{
    (void)origin;
    memset(&p->scalars, 0, sizeof p->scalars);
    memset(&p->standard_metadata, 0, sizeof p->standard_metadata);
    switch (fields) {
        default: break;
    }
}

static void program_digest(struct snic_worker *w, struct packet *p)
{
    (void)w;
    switch (p->base.digest) {
        default: break;
    }
}

/* Makes a packet all zero; cheaper than that by the headers it does not have. */
SNIC_FOLDED void program_clear(struct packet *p)
{
    memset(&p->scalars, 0, sizeof p->scalars);
    memset(&p->standard_metadata, 0, sizeof p->standard_metadata);
    if (snic_bit(p->valid, valid_options)) {
        memset(p->options, 0, sizeof p->options);
        p->options_varbit_bits = 0;
    }
    if (snic_bit(p->valid, valid_labels + 0)) {
        memset(p->labels[0], 0, sizeof p->labels[0]);
    }
    if (snic_bit(p->valid, valid_labels + 1)) {
        memset(p->labels[1], 0, sizeof p->labels[1]);
    }
    if (snic_bit(p->valid, valid_labels + 2)) {
        memset(p->labels[2], 0, sizeof p->labels[2]);
    }
    memset(p->valid, 0, sizeof p->valid);
    memset(p->stack_size, 0, sizeof p->stack_size);
    memset(&p->base, 0, sizeof p->base);
}

/* Whether it is worth while that packets wait for tables together. */
SNIC_FOLDED bool program_parks(struct snic_worker *w)
{
    (void)w;
    return false;
}

#include "snic_machine.h"

/* ---- what the runtime is told ---- */

static const struct snic_action_desc table_0_actions[] = {
    {"labels56", 0},
};

static const struct snic_action_desc table_1_actions[] = {
    {"labels58", 0},
};

static const struct snic_action_desc table_2_actions[] = {
    {"labels60", 0},
};

static const struct snic_table_desc tables[] = {
    {
        .name = "tbl_labels56",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_0_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_labels58",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_1_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_labels60",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_2_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
};

extern const struct snic_program snic_program_v1;
const struct snic_program snic_program_v1 = {
    .abi = SNIC_ABI,
    .json_sha256 = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed",
    .name = "tests/p4/labels.p4",
    .n_tables = 3, .tables = tables,
    .n_round_robins = 0,
    .scratch_bytes = sizeof(struct machine),
    .vector = VECTOR,
    .run = machine_run,
};
