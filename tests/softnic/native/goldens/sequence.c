/* tests/p4/sequence.p4: compiled by softnic from a BMv2 JSON; do not edit. */
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
    HEADERS_MAX_BYTES = 4,
};
#define PACKETS_IN_REGISTERS 1

struct packet {
    struct snic_packet base;
    uint64_t valid[1];
    struct {
        uint32_t tmp;
        uint32_t tmp_0;
        uint32_t tmp_1;
        uint32_t tmp_2;
        uint32_t tmp_3;
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
    uint64_t stamp[1];
    uint8_t pad[16]; /* loads of 8 bytes may touch what follows a header */
};

/* Where a packet that waits for a table goes on, and with what. */
struct parked {
    uint64_t token;
    uint32_t at;
    _Alignas(8) uint8_t key[8];
};

enum {
    valid_stamp = 0,
    VALIDITY_BITS = 1,
};

/* ---- calculations ---- */

/* ---- parser ---- */

SNIC_FOLDED void program_parse(struct snic_worker *w, struct packet *p)
{
    (void)w;
    struct snic_cursor cursor = {p->base.bytes, p->base.bytes + p->base.bytes_length};
    struct snic_cursor *c = &cursor;
    p->base.parser_error = 0;
    {
        const uint8_t *bytes = snic_take(c, 4);
        if (bytes == NULL)
            goto packet_too_short;
        snic_set_bit(p->valid, valid_stamp);
        snic_take_words(p->stamp, bytes, 4);
    }
    goto ended;
packet_too_short:
    p->base.parser_error = 1;
ended:
    p->base.payload = c->p;
    p->base.payload_length = (uint32_t)(c->end - c->p);
}

/* ---- checksums and deparser ---- */

SNIC_FOLDED void program_before_deparsing(struct snic_worker *w, struct packet *p)
{
    (void)w;
    (void)p;
}

SNIC_FOLDED uint32_t program_headers_bytes(const struct packet *p)
{
    uint32_t bytes = 0;
    if (snic_bit(p->valid, valid_stamp)) {
        bytes += 4u;
    }
    return bytes;
}

/* Writes all valid headers in front of `at`; returns where the first begins. */
SNIC_FOLDED uint8_t *program_emit_headers(const struct packet *p, uint8_t *at)
{
    if (snic_bit(p->valid, valid_stamp)) {
        at -= 4u;
        snic_put_words(at, p->stamp, 4u);
    }
    return at;
}

/* ---- actions ---- */

SNIC_FOLDED void IngressPipe__set_flow(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    /* sequence.p4:34 */
    if (snic_bit(p->valid, valid_stamp))
        snic_set64(p->stamp, 0, 8, args[0]);
}

SNIC_FOLDED void IngressPipe__police(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)args;
    /* sequence.p4:38 */
    p->scalars.tmp = snic_get64(p->stamp, 0, 8);
    /* sequence.p4:38 */
    {
        uint32_t colour;
        if (snic_mark(w, 0 /* IngressPipe.policer */, p->scalars.tmp, p->base.received_length, &colour)) {
            if (snic_bit(p->valid, valid_stamp))
                snic_set64(p->stamp, 8, 8, (uint64_t)colour);
        }
    }
}

SNIC_FOLDED void IngressPipe__next_sequence(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)args;
    snic_register_lock(w, 0);
    /* sequence.p4:42 */
    p->scalars.tmp_0 = snic_get64(p->stamp, 0, 8);
    /* sequence.p4:42 */
    {
        const void *source = snic_register_cell(w, 0 /* IngressPipe.sequences */, p->scalars.tmp_0, 2);
        if (source != NULL) {
            if (snic_bit(p->valid, valid_stamp))
                snic_set64(p->stamp, 16, 16, snic_cell_load64(source, 2));
        }
    }
    /* sequence.p4:43 */
    if (snic_bit(p->valid, valid_stamp))
        snic_set64(p->stamp, 16, 16, snic_get64(p->stamp, 16, 16) + 1u);
    /* sequence.p4:44 */
    p->scalars.tmp_1 = snic_get64(p->stamp, 0, 8);
    /* sequence.p4:44 */
    {
        void *cell = snic_register_cell(w, 0 /* IngressPipe.sequences */, p->scalars.tmp_1, 2);
        if (cell != NULL)
            snic_cell_store64(cell, 2, snic_get64(p->stamp, 16, 16));
    }
    snic_register_unlock(w, 0);
}

SNIC_FOLDED void IngressPipe__next_sequence_2(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)args;
    snic_register_lock(w, 0);
    /* sequence.p4:42 */
    p->scalars.tmp_2 = snic_get64(p->stamp, 0, 8);
    /* sequence.p4:42 */
    {
        const void *source = snic_register_cell(w, 0 /* IngressPipe.sequences */, p->scalars.tmp_2, 2);
        if (source != NULL) {
            if (snic_bit(p->valid, valid_stamp))
                snic_set64(p->stamp, 16, 16, snic_cell_load64(source, 2));
        }
    }
    /* sequence.p4:43 */
    if (snic_bit(p->valid, valid_stamp))
        snic_set64(p->stamp, 16, 16, snic_get64(p->stamp, 16, 16) + 1u);
    /* sequence.p4:44 */
    p->scalars.tmp_3 = snic_get64(p->stamp, 0, 8);
    /* sequence.p4:44 */
    {
        void *cell = snic_register_cell(w, 0 /* IngressPipe.sequences */, p->scalars.tmp_3, 2);
        if (cell != NULL)
            snic_cell_store64(cell, 2, snic_get64(p->stamp, 16, 16));
    }
    snic_register_unlock(w, 0);
}

SNIC_FOLDED void action__sequence63(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* sequence.p4:63 */
    p->standard_metadata.egress_spec = 1u;
}

/* ---- ingress ---- */

SNIC_FOLDED uint32_t program_ingress(struct snic_worker *w, struct packet *p, struct parked *k)
{
    (void)k;
    action__sequence63(w, p, NULL); /* sequence.p4:63 */
    if (snic_get64(p->stamp, 8, 8) == 0u) { /* sequence.p4:64 */
        goto IngressPipe__flows;
    }
    goto tbl_next_sequence;
IngressPipe__flows:
    {
        const struct snic_table *t = snic_table_of(w, 1); /* sequence.p4:47 */
        const struct snic_call *call;
        bool hit;
        {
            const uint64_t words[] = {snic_key_bytes(snic_get64(p->stamp, 0, 8), 1, 0)};
            const uint8_t *key = (const uint8_t *)words;
            call = snic_narrow_find(t, key);
        }
        hit = call != NULL;
        if (hit) {
            snic_table_hit(w, 1);
        }
        if (!hit) {
            snic_table_missed(w, 1);
            call = snic_default(t);
            if (call->kind == SNIC_TARGET_NONE) {
                goto IngressPipe__policed;
            }
        }
        switch (call->action) {
            case 0: {
                IngressPipe__set_flow(w, p, call->args);
                goto IngressPipe__policed;
            }
            case 1: {
                goto IngressPipe__policed;
            }
            default: __builtin_unreachable();
        }
    }
IngressPipe__policed:
    {
        const struct snic_table *t = snic_table_of(w, 2); /* sequence.p4:52 */
        const struct snic_call *call;
        bool hit;
        {
            const uint64_t words[] = {snic_key_bytes(snic_get64(p->stamp, 0, 8), 1, 0)};
            const uint8_t *key = (const uint8_t *)words;
            call = snic_narrow_find(t, key);
        }
        hit = call != NULL;
        if (hit) {
            snic_table_hit(w, 2);
        }
        if (!hit) {
            snic_table_missed(w, 2);
            call = snic_default(t);
            if (call->kind == SNIC_TARGET_NONE) {
                goto tbl_next_sequence;
            }
        }
        switch (call->action) {
            case 0: {
                IngressPipe__police(w, p, call->args);
                goto tbl_next_sequence;
            }
            case 1: {
                goto tbl_next_sequence;
            }
            default: __builtin_unreachable();
        }
    }
tbl_next_sequence:
    IngressPipe__next_sequence_2(w, p, NULL); /* sequence.p4:68 */
    {
        const struct snic_table *t = snic_table_of(w, 4); /* sequence.p4:57 */
        const struct snic_call *call;
        bool hit;
        {
            const uint64_t words[] = {snic_key_bytes(snic_get64(p->stamp, 16, 16), 2, 0)};
            const uint8_t *key = (const uint8_t *)words;
            call = snic_narrow_find(t, key);
        }
        hit = call != NULL;
        if (hit) {
            snic_table_hit(w, 4);
        }
        if (!hit) {
            snic_table_missed(w, 4);
            call = snic_default(t);
            if (call->kind == SNIC_TARGET_NONE) {
                goto end;
            }
        }
        switch (call->action) {
            case 0: {
                IngressPipe__next_sequence(w, p, call->args);
                goto end;
            }
            case 1: {
                goto end;
            }
            default: __builtin_unreachable();
        }
    }
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

SNIC_FOLDED uint32_t program_egress(struct snic_worker *w, struct packet *p, struct parked *k)
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
    (void)p;
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
    if (snic_bit(p->valid, valid_stamp)) {
        memset(p->stamp, 0, sizeof p->stamp);
    }
    memset(p->valid, 0, sizeof p->valid);
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
    {"sequence63", 0},
};

static const struct snic_key_field table_1_fields[] = {
    {"hdr.stamp.flow", SNIC_EXACT, 0, 1, 8},
};

static const struct snic_action_desc table_1_actions[] = {
    {"IngressPipe.set_flow", 1},
    {"NoAction", 0},
};

static const struct snic_key_field table_2_fields[] = {
    {"hdr.stamp.flow", SNIC_EXACT, 0, 1, 8},
};

static const struct snic_action_desc table_2_actions[] = {
    {"IngressPipe.police", 0},
    {"NoAction", 0},
};

static const struct snic_action_desc table_3_actions[] = {
    {"IngressPipe.next_sequence", 0},
};

static const struct snic_key_field table_4_fields[] = {
    {"hdr.stamp.sequence", SNIC_EXACT, 0, 2, 16},
};

static const struct snic_action_desc table_4_actions[] = {
    {"IngressPipe.next_sequence", 0},
    {"NoAction", 0},
};

static const struct snic_table_desc tables[] = {
    {
        .name = "tbl_sequence63",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_0_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "IngressPipe.flows",
        .match = SNIC_EXACT, .key_bytes = 1, .key_room = 8,
        .n_fields = 1, .fields = table_1_fields,
        .n_actions = 2, .actions = table_1_actions,
        .max_args_bytes = 1, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "IngressPipe.policed",
        .match = SNIC_EXACT, .key_bytes = 1, .key_room = 8,
        .n_fields = 1, .fields = table_2_fields,
        .n_actions = 2, .actions = table_2_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_next_sequence",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_3_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "IngressPipe.reset",
        .match = SNIC_EXACT, .key_bytes = 2, .key_room = 8,
        .n_fields = 1, .fields = table_4_fields,
        .n_actions = 2, .actions = table_4_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
};

static const struct snic_meter_desc meters[] = {
    {"IngressPipe.policer", 16, false},
};

static const struct snic_register_desc registers[] = {
    {"IngressPipe.sequences", 16, 16},
};

extern const struct snic_program snic_program_v1;
const struct snic_program snic_program_v1 = {
    .abi = SNIC_ABI,
    .json_sha256 = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed",
    .name = "tests/p4/sequence.p4",
    .n_tables = 5, .tables = tables,
    .n_meters = 1, .meters = meters,
    .n_registers = 1, .registers = registers,
    .n_round_robins = 0,
    .scratch_bytes = sizeof(struct machine),
    .vector = VECTOR,
    .run = machine_run,
};
