/* tests/p4/learn.p4: compiled by softnic from a BMv2 JSON; do not edit. */
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
    INGRESS_STAGES = 2,
    EGRESS_STAGES = 0,
    HEADERS_MAX_BYTES = 14,
};
#define PACKETS_IN_REGISTERS 1

struct packet {
    struct snic_packet base;
    uint64_t valid[1];
    struct {
        uint64_t tmp;
        uint16_t tmp_0;
        uint16_t metadata_t__port;
        uint8_t p4_padding_0;
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
    uint64_t ethernet[2];
    uint8_t pad[16]; /* loads of 8 bytes may touch what follows a header */
};

/* Where a packet that waits for a table goes on, and with what. */
struct parked {
    uint64_t token;
    uint32_t at;
    _Alignas(8) uint8_t key[8];
};

enum {
    valid_ethernet = 0,
    VALIDITY_BITS = 1,
};

/* ---- calculations ---- */

SNIC_FOLDED uint64_t calc__IngressPipe__ports(struct snic_worker *w, struct packet *p)
{
    (void)w, (void)p;
    uint8_t data[8];
    size_t size = 0;
    memset(data, 0, 8);
    if (snic_bit(p->valid, valid_ethernet)) {
        snic_store_bytes(data + size, 8, snic_get64(p->ethernet, 48, 64));
        size += 8;
    }
    return snic_crc32(data, size);
}

/* ---- parser ---- */

SNIC_FOLDED void program_parse(struct snic_worker *w, struct packet *p)
{
    (void)w;
    struct snic_cursor cursor = {p->base.bytes, p->base.bytes + p->base.bytes_length};
    struct snic_cursor *c = &cursor;
    p->base.parser_error = 0;
    {
        const uint8_t *bytes = snic_take(c, 14);
        if (bytes == NULL)
            goto packet_too_short;
        snic_set_bit(p->valid, valid_ethernet);
        snic_take_words(p->ethernet, bytes, 14);
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
    if (snic_bit(p->valid, valid_ethernet)) {
        bytes += 14u;
    }
    return bytes;
}

/* Writes all valid headers in front of `at`; returns where the first begins. */
SNIC_FOLDED uint8_t *program_emit_headers(const struct packet *p, uint8_t *at)
{
    if (snic_bit(p->valid, valid_ethernet)) {
        at -= 14u;
        snic_put_words(at, p->ethernet, 14u);
    }
    return at;
}

/* ---- actions ---- */

SNIC_FOLDED void IngressPipe__learn(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* learn.p4:41 */
    p->scalars.tmp = snic_get64(p->ethernet, 48, 48);
    /* learn.p4:41 */
    p->scalars.tmp_0 = p->standard_metadata.ingress_port;
    /* learn.p4:41 */
    p->base.digest = 1;
}

SNIC_FOLDED void IngressPipe__forward(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    /* learn.p4:45 */
    p->standard_metadata.egress_spec = snic_load_bytes(args, 2);
}

SNIC_FOLDED void IngressPipe__flood(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    /* learn.p4:49 */
    p->standard_metadata.mcast_grp = snic_load_bytes(args, 2);
}

SNIC_FOLDED void IngressPipe__drop(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* learn.p4:53 */
    p->standard_metadata.egress_spec = SNIC_DROP_PORT;
    p->standard_metadata.mcast_grp = 0;
}

SNIC_FOLDED void action__learn83(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* learn.p4:83 */
    p->scalars.metadata_t__port = p->standard_metadata.ingress_port;
}

SNIC_FOLDED void action__learn88(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* learn.p4:88 */
    p->base.clone_session = snic_index32(5u);
    p->base.clone_fields = 1;
    p->base.clone_requested = true;
}

SNIC_FOLDED void action__learn96(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* learn.p4:96 */
    if (snic_bit(p->valid, valid_ethernet))
        snic_set64(p->ethernet, 96, 16, p->scalars.metadata_t__port);
}

SNIC_FOLDED void action__learn98(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* learn.p4:98 */
    p->standard_metadata.egress_spec = SNIC_DROP_PORT;
    p->standard_metadata.mcast_grp = 0;
}

/* ---- ingress ---- */

SNIC_FOLDED uint32_t program_ingress(struct snic_worker *w, struct packet *p, struct parked *k)
{
    switch (k == NULL ? 0 : k->at) {
        case 2: goto IngressPipe__known_parked;
        case 3: goto IngressPipe__destinations_parked;
    }
    action__learn83(w, p, NULL); /* learn.p4:83 */
    {
        const struct snic_table *t = snic_table_of(w, 1); /* learn.p4:56 */
        const struct snic_call *call;
        bool hit;
        {
            const uint64_t words[] = {snic_key_bytes(snic_get64(p->ethernet, 48, 48), 6, 0) | snic_key_bytes(p->standard_metadata.ingress_port, 2, 6)};
            const uint8_t *key = (const uint8_t *)words;
            if (k != NULL && snic_table_large(t)) {
                memcpy(k->key, key, 8);
                k->token = snic_exact_begin(t, k->key, 8);
                k->at = 2;
                return 1;
            }
            call = snic_exact_find(t, key, 8);
        }
        goto IngressPipe__known_found;
    IngressPipe__known_parked:
        t = snic_table_of(w, 1);
        call = snic_exact_finish(t, k->key, 8, k->token);
    IngressPipe__known_found:
        hit = call != NULL;
        if (hit) {
            snic_table_hit(w, 1);
        }
        if (!hit) {
            snic_table_missed(w, 1);
            call = snic_default(t);
            if (call->kind == SNIC_TARGET_NONE) {
                goto IngressPipe__destinations;
            }
        }
        switch (call->action) {
            case 0: {
                IngressPipe__learn(w, p, call->args);
                goto IngressPipe__destinations;
            }
            case 1: {
                goto IngressPipe__destinations;
            }
            default: __builtin_unreachable();
        }
    }
IngressPipe__destinations:
    {
        const struct snic_table *t = snic_table_of(w, 2); /* learn.p4:72 */
        const struct snic_call *call;
        bool hit;
        {
            const uint64_t words[] = {snic_key_bytes(snic_get64(p->ethernet, 0, 48), 6, 0)};
            const uint8_t *key = (const uint8_t *)words;
            if (k != NULL && snic_table_large(t)) {
                memcpy(k->key, key, 8);
                k->token = snic_exact_begin(t, k->key, 8);
                k->at = 3;
                return 2;
            }
            call = snic_exact_find(t, key, 8);
        }
        goto IngressPipe__destinations_found;
    IngressPipe__destinations_parked:
        t = snic_table_of(w, 2);
        call = snic_exact_finish(t, k->key, 8, k->token);
    IngressPipe__destinations_found:
        hit = call != NULL;
        if (hit) {
            snic_table_hit(w, 2);
        }
        if (!hit) {
            snic_table_missed(w, 2);
            call = snic_default(t);
            if (call->kind == SNIC_TARGET_NONE) {
                goto IngressPipe__control_protocols;
            }
        }
        if (call->kind == SNIC_TARGET_GROUP) {
            const struct snic_choice *choice = snic_group_choice(w, call);
            call = choice == NULL ? NULL : snic_chosen_call(choice, calc__IngressPipe__ports(w, p));
        }
        if (call != NULL && call->kind == SNIC_TARGET_MEMBER)
            call = snic_member_call(call);
        if (call == NULL) {
            goto IngressPipe__control_protocols;
        }
        switch (call->action) {
            case 0: {
                IngressPipe__forward(w, p, call->args);
                goto IngressPipe__control_protocols;
            }
            case 1: {
                IngressPipe__flood(w, p, call->args);
                goto IngressPipe__control_protocols;
            }
            case 2: {
                IngressPipe__drop(w, p, call->args);
                goto IngressPipe__control_protocols;
            }
            case 3: {
                goto IngressPipe__control_protocols;
            }
            default: __builtin_unreachable();
        }
    }
IngressPipe__control_protocols:
    {
        const struct snic_table *t = snic_table_of(w, 3); /* learn.p4:62 */
        const struct snic_call *call;
        bool hit;
        {
            const uint64_t words[] = {snic_key_bytes(snic_get64(p->ethernet, 96, 16), 2, 0)};
            const uint8_t *key = (const uint8_t *)words;
            call = snic_narrow_find(t, key);
        }
        hit = call != NULL;
        if (hit) {
            snic_table_hit(w, 3);
        }
        if (!hit) {
            snic_table_missed(w, 3);
            call = snic_default(t);
            if (call->kind == SNIC_TARGET_NONE) {
                goto node_6;
            }
        }
        switch (call->action) {
            case 0: {
                IngressPipe__drop(w, p, call->args);
                goto node_6;
            }
            case 1: {
                goto node_6;
            }
            default: __builtin_unreachable();
        }
    }
node_6:
    if (snic_get64(p->ethernet, 96, 16) == 0x1234u) { /* learn.p4:87 */
        goto tbl_learn88;
    }
    goto end;
tbl_learn88:
    action__learn88(w, p, NULL); /* learn.p4:88 */
end:
    p->base.exited = false;
    return 0;
}

static inline void program_ingress_advance(struct snic_worker *w, struct parked *k, uint32_t stage)
{
    switch (stage) {
        case 1: k->token = snic_exact_advance(snic_table_of(w, 1), k->token); break;
        case 2: k->token = snic_exact_advance(snic_table_of(w, 2), k->token); break;
        default: break;
    }
}

/* ---- egress ---- */

SNIC_FOLDED uint32_t program_egress(struct snic_worker *w, struct packet *p, struct parked *k)
{
    (void)k;
    if (p->standard_metadata.instance_type == 1u) { /* learn.p4:95 */
        goto tbl_learn96;
    }
    if (p->standard_metadata.egress_port == p->scalars.metadata_t__port) { /* learn.p4:97 */
        goto tbl_learn98;
    }
    goto end;
tbl_learn98:
    action__learn98(w, p, NULL); /* learn.p4:98 */
    goto end;
tbl_learn96:
    action__learn96(w, p, NULL); /* learn.p4:96 */
end:
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
    p->standard_metadata.instance_type = (uint32_t)value;
}

SNIC_FOLDED void program_set_packet_length(struct packet *p, uint32_t value)
{
    (void)p;
    (void)value;
}

SNIC_FOLDED void program_set_ingress_port(struct packet *p, uint32_t value)
{
    p->standard_metadata.ingress_port = value & 511u;
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
    p->standard_metadata.ingress_port = p->base.port & 511u;
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
    p->standard_metadata.egress_port = p->base.port & 511u;
    /* Anything but the drop port: simple_switch has the drop port + 1, which in 9 bits is 0. */
    p->standard_metadata.egress_spec = 0u & 511u;
}

/* Clears all metadata but the fields of a list, 1 + its index (0: of none), which come from `origin`. */
static void program_keep_metadata(struct packet *p, const struct packet *origin, uint32_t fields)
{
    memset(&p->scalars, 0, sizeof p->scalars);
    memset(&p->standard_metadata, 0, sizeof p->standard_metadata);
    switch (fields) {
        case 1: /* field_list1 */
            p->scalars.metadata_t__port = origin->scalars.metadata_t__port;
            break;
        default: break;
    }
}

static void program_digest(struct snic_worker *w, struct packet *p)
{
    switch (p->base.digest) {
        case 1: {
            uint8_t values[8];
            snic_store_bytes((values + 0), 6, p->scalars.tmp);
            snic_store_bytes((values + 6), 2, p->scalars.tmp_0);
            snic_digest(w, 0, values);
        } break;
        default: break;
    }
}

/* Makes a packet all zero; cheaper than that by the headers it does not have. */
SNIC_FOLDED void program_clear(struct packet *p)
{
    memset(&p->scalars, 0, sizeof p->scalars);
    memset(&p->standard_metadata, 0, sizeof p->standard_metadata);
    if (snic_bit(p->valid, valid_ethernet)) {
        memset(p->ethernet, 0, sizeof p->ethernet);
    }
    memset(p->valid, 0, sizeof p->valid);
    memset(&p->base, 0, sizeof p->base);
}

/* Whether it is worth while that packets wait for tables together. */
SNIC_FOLDED bool program_parks(struct snic_worker *w)
{
    return snic_table_large(snic_table_of(w, 1)) || snic_table_large(snic_table_of(w, 2));
}

#include "snic_machine.h"

/* ---- what the runtime is told ---- */

static const struct snic_action_desc table_0_actions[] = {
    {"learn83", 0},
};

static const struct snic_key_field table_1_fields[] = {
    {"hdr.ethernet.source", SNIC_EXACT, 0, 6, 48},
    {"std.ingress_port", SNIC_EXACT, 6, 2, 9},
};

static const struct snic_action_desc table_1_actions[] = {
    {"IngressPipe.learn", 0},
    {"NoAction", 0},
};

static const struct snic_key_field table_2_fields[] = {
    {"hdr.ethernet.destination", SNIC_EXACT, 0, 6, 48},
};

static const struct snic_action_desc table_2_actions[] = {
    {"IngressPipe.forward", 2},
    {"IngressPipe.flood", 2},
    {"IngressPipe.drop", 0},
    {"NoAction", 0},
};

static const struct snic_key_field table_3_fields[] = {
    {"hdr.ethernet.type", SNIC_EXACT, 0, 2, 16},
};

static const struct snic_action_desc table_3_actions[] = {
    {"IngressPipe.drop", 0},
    {"NoAction", 0},
};

static const struct snic_action_desc table_4_actions[] = {
    {"learn88", 0},
};

static const struct snic_action_desc table_5_actions[] = {
    {"learn96", 0},
};

static const struct snic_action_desc table_6_actions[] = {
    {"learn98", 0},
};

static const struct snic_action_desc profile_0_actions[] = {
    {"IngressPipe.forward", 2},
    {"IngressPipe.flood", 2},
    {"IngressPipe.drop", 0},
    {"NoAction", 0},
};

static const struct snic_table_desc tables[] = {
    {
        .name = "tbl_learn83",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_0_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "IngressPipe.known",
        .match = SNIC_EXACT, .key_bytes = 8, .key_room = 8,
        .n_fields = 2, .fields = table_1_fields,
        .n_actions = 2, .actions = table_1_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "IngressPipe.destinations",
        .match = SNIC_EXACT, .key_bytes = 6, .key_room = 8,
        .n_fields = 1, .fields = table_2_fields,
        .n_actions = 4, .actions = table_2_actions,
        .max_args_bytes = 2, .max_size = 1024,
        .profile = 0,
    },
    {
        .name = "IngressPipe.control_protocols",
        .match = SNIC_EXACT, .key_bytes = 2, .key_room = 8,
        .n_fields = 1, .fields = table_3_fields,
        .n_actions = 2, .actions = table_3_actions,
        .max_args_bytes = 0, .max_size = 2,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_learn88",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_4_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_learn96",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_5_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_learn98",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_6_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
};

static const struct snic_profile_desc profiles[] = {
    {
        .name = "IngressPipe.ports", .selector = true,
        .n_actions = 4, .actions = profile_0_actions,
        .max_args_bytes = 2, .max_size = 16,
    },
};

static const struct snic_digest_desc digests[] = {
    {"learned_t", 8},
};

extern const struct snic_program snic_program_v1;
const struct snic_program snic_program_v1 = {
    .abi = SNIC_ABI,
    .json_sha256 = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed",
    .name = "tests/p4/learn.p4",
    .n_tables = 7, .tables = tables,
    .n_profiles = 1, .profiles = profiles,
    .n_digests = 1, .digests = digests,
    .n_round_robins = 0,
    .scratch_bytes = sizeof(struct machine),
    .vector = VECTOR,
    .run = machine_run,
};
