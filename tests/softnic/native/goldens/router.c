/* tests/p4/router.p4: compiled by softnic from a BMv2 JSON; do not edit. */
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
    INGRESS_STAGES = 1,
    EGRESS_STAGES = 0,
    HEADERS_MAX_BYTES = 34,
};
#define PACKETS_IN_REGISTERS 1

struct packet {
    struct snic_packet base;
    uint64_t valid[1];
    struct {
        uint8_t tmp;
        uint16_t metadata_t__next_hop;
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
    uint64_t ipv4[3];
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
    valid_ipv4 = 1,
    VALIDITY_BITS = 2,
};

/* ---- calculations ---- */

SNIC_FOLDED uint64_t calc__calc(struct snic_worker *w, struct packet *p)
{
    (void)w, (void)p;
    uint64_t sum = 0;
    if (snic_bit(p->valid, valid_ipv4)) {
        sum = snic_plus_words(sum, p->ipv4, 0, 10);
        sum = snic_plus_words(sum, p->ipv4, 12, 8);
    }
    return snic_checksum_of_sum(sum);
}

SNIC_FOLDED uint64_t calc__calc_0(struct snic_worker *w, struct packet *p)
{
    (void)w, (void)p;
    uint64_t sum = 0;
    if (snic_bit(p->valid, valid_ipv4)) {
        sum = snic_plus_words(sum, p->ipv4, 0, 10);
        sum = snic_plus_words(sum, p->ipv4, 12, 8);
    }
    return snic_checksum_of_sum(sum);
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
    {
        uint64_t key = (uint64_t)snic_get64(p->ethernet, 96, 16);
        switch (key) {
            case 0x800: goto parse_ipv4;
            default: break;
        }
    }
    goto accept;
parse_ipv4:
    {
        const uint8_t *bytes = snic_take(c, 20);
        if (bytes == NULL)
            goto packet_too_short;
        snic_set_bit(p->valid, valid_ipv4);
        snic_take_words(p->ipv4, bytes, 20);
    }
    p->scalars.tmp = ((snic_get64(p->ipv4, 0, 4) == 4u) && (snic_get64(p->ipv4, 4, 4) == 5u)) ? 1u : 0u;
    if (!(p->scalars.tmp != 0u)) {
        p->base.parser_error = (uint32_t)4u;
        goto ended;
    }
accept:
    goto ended;
packet_too_short:
    p->base.parser_error = 1;
ended:
    p->base.payload = c->p;
    p->base.payload_length = (uint32_t)(c->end - c->p);
}

/* ---- checksums and deparser ---- */

SNIC_FOLDED bool program_verify_checksums(struct snic_worker *w, struct packet *p)
{
    bool right = true;
    if (snic_bit(p->valid, valid_ipv4) && (snic_bit(p->valid, valid_ipv4))) { /* router.p4:53 */
        right &= calc__calc_0(w, p) == (uint64_t)snic_get64(p->ipv4, 80, 16);
    }
    return right;
}

SNIC_FOLDED void program_before_deparsing(struct snic_worker *w, struct packet *p)
{
    if (snic_bit(p->valid, valid_ipv4) && (snic_bit(p->valid, valid_ipv4))) { /* router.p4:104 */
        if (snic_bit(p->valid, valid_ipv4))
            snic_set64(p->ipv4, 80, 16, calc__calc(w, p));
    }
}

SNIC_FOLDED uint32_t program_headers_bytes(const struct packet *p)
{
    uint32_t bytes = 0;
    if (snic_bit(p->valid, valid_ethernet)) {
        bytes += 14u;
    }
    if (snic_bit(p->valid, valid_ipv4)) {
        bytes += 20u;
    }
    return bytes;
}

/* Writes all valid headers in front of `at`; returns where the first begins. */
SNIC_FOLDED uint8_t *program_emit_headers(const struct packet *p, uint8_t *at)
{
    if (snic_bit(p->valid, valid_ipv4)) {
        at -= 20u;
        snic_put_words(at, p->ipv4, 20u);
    }
    if (snic_bit(p->valid, valid_ethernet)) {
        at -= 14u;
        snic_put_words(at, p->ethernet, 14u);
    }
    return at;
}

/* ---- actions ---- */

SNIC_FOLDED void IngressPipe__drop(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* router.p4:63 */
    p->standard_metadata.egress_spec = SNIC_DROP_PORT;
    p->standard_metadata.mcast_grp = 0;
}

SNIC_FOLDED void IngressPipe__set_next_hop(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    /* router.p4:67 */
    p->scalars.metadata_t__next_hop = snic_load_bytes(args, 2);
}

SNIC_FOLDED void IngressPipe__forward(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    /* router.p4:71 */
    p->standard_metadata.egress_spec = snic_load_bytes(args, 2);
    /* router.p4:72 */
    if (snic_bit(p->valid, valid_ethernet))
        snic_set64(p->ethernet, 48, 48, snic_load_bytes(args + 2, 6));
    /* router.p4:73 */
    if (snic_bit(p->valid, valid_ethernet))
        snic_set64(p->ethernet, 0, 48, snic_load_bytes(args + 8, 6));
    /* router.p4:74 */
    if (snic_bit(p->valid, valid_ipv4))
        snic_set64(p->ipv4, 64, 8, snic_get64(p->ipv4, 64, 8) + 255u);
}

/* ---- ingress ---- */

SNIC_FOLDED uint32_t program_ingress(struct snic_worker *w, struct packet *p, struct parked *k)
{
    switch (k == NULL ? 0 : k->at) {
        case 2: goto IngressPipe__routes_parked;
    }
    if (((!snic_bit(p->valid, valid_ipv4) || (p->standard_metadata.checksum_error == 1u)) || (p->standard_metadata.parser_error != 0u)) || (snic_get64(p->ipv4, 64, 8) < 2u)) { /* router.p4:90 */
        goto tbl_drop;
    }
    {
        const struct snic_table *t = snic_table_of(w, 1); /* router.p4:77 */
        const struct snic_call *call;
        bool hit;
        {
            const uint64_t words[] = {snic_key_bytes(snic_get64(p->ipv4, 128, 32), 4, 0)};
            const uint8_t *key = (const uint8_t *)words;
            if (k != NULL && snic_table_large(t)) {
                memcpy(k->key, key, 8);
                k->token = snic_lpm_begin(t, k->key, 8);
                k->at = 2;
                return 1;
            }
            call = snic_lpm_find(t, key, 8);
        }
        goto IngressPipe__routes_found;
    IngressPipe__routes_parked:
        t = snic_table_of(w, 1);
        call = snic_lpm_finish(t, k->key, 8, k->token);
    IngressPipe__routes_found:
        hit = call != NULL;
        if (hit) {
            snic_table_hit(w, 1);
        }
        if (!hit) {
            snic_table_missed(w, 1);
            call = snic_default(t);
            if (call->kind == SNIC_TARGET_NONE) {
                goto end;
            }
        }
        switch (call->action) {
            case 0: {
                IngressPipe__set_next_hop(w, p, call->args);
                if (hit) {
                    goto IngressPipe__next_hops;
                }
                goto end;
            }
            case 1: {
                IngressPipe__drop(w, p, call->args);
                if (hit) {
                    goto IngressPipe__next_hops;
                }
                goto end;
            }
            default: __builtin_unreachable();
        }
    }
IngressPipe__next_hops:
    {
        const struct snic_table *t = snic_table_of(w, 2); /* router.p4:83 */
        const struct snic_call *call;
        {
            const uint64_t words[] = {snic_key_bytes(p->scalars.metadata_t__next_hop, 2, 0)};
            const uint8_t *key = (const uint8_t *)words;
            call = snic_narrow_find(t, key);
        }
        if (call == NULL) {
            snic_table_missed(w, 2);
            IngressPipe__drop(w, p, NULL); /* router.p4:83 */
            goto end;
        }
        snic_table_hit(w, 2);
        switch (call->action) {
            case 0: {
                IngressPipe__forward(w, p, call->args);
                goto end;
            }
            case 1: {
                IngressPipe__drop(w, p, call->args);
                goto end;
            }
            default: __builtin_unreachable();
        }
    }
tbl_drop:
    IngressPipe__drop(w, p, NULL); /* router.p4:91 */
end:
    p->base.exited = false;
    return 0;
}

static inline void program_ingress_advance(struct snic_worker *w, struct parked *k, uint32_t stage)
{
    switch (stage) {
        case 1: k->token = snic_lpm_advance(snic_table_of(w, 1), k->token); break;
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
    p->standard_metadata.parser_error = (uint32_t)p->base.parser_error;
    p->standard_metadata.checksum_error = (uint64_t)!program_verify_checksums(w, p);
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
    if (snic_bit(p->valid, valid_ethernet)) {
        memset(p->ethernet, 0, sizeof p->ethernet);
    }
    if (snic_bit(p->valid, valid_ipv4)) {
        memset(p->ipv4, 0, sizeof p->ipv4);
    }
    memset(p->valid, 0, sizeof p->valid);
    memset(&p->base, 0, sizeof p->base);
}

/* Whether it is worth while that packets wait for tables together. */
SNIC_FOLDED bool program_parks(struct snic_worker *w)
{
    return snic_table_large(snic_table_of(w, 1));
}

#include "snic_machine.h"

/* ---- what the runtime is told ---- */

static const struct snic_action_desc table_0_actions[] = {
    {"IngressPipe.drop", 0},
};

static const struct snic_key_field table_1_fields[] = {
    {"hdr.ipv4.destination", SNIC_LPM, 0, 4, 32},
};

static const struct snic_action_desc table_1_actions[] = {
    {"IngressPipe.set_next_hop", 2},
    {"IngressPipe.drop", 0},
};

static const struct snic_key_field table_2_fields[] = {
    {"meta.next_hop", SNIC_EXACT, 0, 2, 16},
};

static const struct snic_action_desc table_2_actions[] = {
    {"IngressPipe.forward", 14},
    {"IngressPipe.drop", 0},
};

static const struct snic_table_desc tables[] = {
    {
        .name = "tbl_drop",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_0_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "IngressPipe.routes",
        .match = SNIC_LPM, .key_bytes = 4, .key_room = 8,
        .n_fields = 1, .fields = table_1_fields,
        .n_actions = 2, .actions = table_1_actions,
        .max_args_bytes = 2, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "IngressPipe.next_hops",
        .match = SNIC_EXACT, .key_bytes = 2, .key_room = 8,
        .n_fields = 1, .fields = table_2_fields,
        .n_actions = 2, .actions = table_2_actions,
        .max_args_bytes = 14, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
};

extern const struct snic_program snic_program_v1;
const struct snic_program snic_program_v1 = {
    .abi = SNIC_ABI,
    .json_sha256 = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed",
    .name = "tests/p4/router.p4",
    .n_tables = 3, .tables = tables,
    .n_round_robins = 0,
    .scratch_bytes = sizeof(struct machine),
    .vector = VECTOR,
    .run = machine_run,
};
