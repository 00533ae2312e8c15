/* tests/p4/replication.p4: compiled by softnic from a BMv2 JSON; do not edit. */
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
    HEADERS_MAX_BYTES = 10,
};
#define PACKETS_IN_REGISTERS 1

struct packet {
    struct snic_packet base;
    uint64_t valid[1];
    struct {
        uint32_t tmp;
        uint32_t tmp_0;
        uint32_t tmp_1;
        uint8_t metadata_t__mark;
        uint8_t metadata_t__lost;
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
    uint64_t command[1];
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
    valid_command = 0,
    valid_stamp = 1,
    VALIDITY_BITS = 2,
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
        snic_set_bit(p->valid, valid_command);
        snic_take_words(p->command, bytes, 4);
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
    if (snic_bit(p->valid, valid_command)) {
        bytes += 4u;
    }
    if (snic_bit(p->valid, valid_stamp)) {
        bytes += 6u;
    }
    return bytes;
}

/* Writes all valid headers in front of `at`; returns where the first begins. */
SNIC_FOLDED uint8_t *program_emit_headers(const struct packet *p, uint8_t *at)
{
    if (snic_bit(p->valid, valid_stamp)) {
        at -= 6u;
        snic_put_words(at, p->stamp, 6u);
    }
    if (snic_bit(p->valid, valid_command)) {
        at -= 4u;
        snic_put_words(at, p->command, 4u);
    }
    return at;
}

/* ---- actions ---- */

SNIC_FOLDED void action__replication62(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:62 */
    p->standard_metadata.mcast_grp = snic_get64(p->command, 16, 16);
}

SNIC_FOLDED void action__replication69(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:69 */
    p->standard_metadata.egress_spec = SNIC_DROP_PORT;
    p->standard_metadata.mcast_grp = 0;
}

SNIC_FOLDED void action__replication64(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:64 */
    p->scalars.metadata_t__mark = 171u;
    /* replication.p4:65 */
    p->scalars.metadata_t__lost = 205u;
    /* replication.p4:66 */
    p->scalars.tmp = snic_get64(p->command, 16, 16);
    /* replication.p4:66 */
    p->base.clone_session = snic_index32(p->scalars.tmp);
    p->base.clone_fields = 1;
    p->base.clone_requested = true;
    /* replication.p4:67 */
    if (snic_bit(p->valid, valid_command))
        snic_set64(p->command, 8, 8, 99u);
}

SNIC_FOLDED void action__replication73(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:73 */
    p->scalars.metadata_t__mark = 7u;
    /* replication.p4:74 */
    p->scalars.metadata_t__lost = 8u;
    /* replication.p4:75 */
    p->base.resubmit = 1;
}

SNIC_FOLDED void action__replication78(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:78 */
    p->base.resubmit = 1;
}

SNIC_FOLDED void action__replication80(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:80 */
    p->scalars.tmp_0 = snic_get64(p->command, 16, 16);
    /* replication.p4:80 */
    {
        const uint32_t limit = snic_index32(p->scalars.tmp_0);
        if (limit < p->base.truncate_to)
            p->base.truncate_to = limit;
    }
}

SNIC_FOLDED void action__replication82(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:82 */
    p->standard_metadata.egress_spec = SNIC_DROP_PORT;
    p->standard_metadata.mcast_grp = 0;
}

SNIC_FOLDED void action__replication84(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:84 */
    p->standard_metadata.egress_spec = SNIC_DROP_PORT;
    p->standard_metadata.mcast_grp = 0;
    /* replication.p4:85 */
    p->standard_metadata.egress_spec = 5u;
}

SNIC_FOLDED void action__replication57(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:57 */
    p->standard_metadata.egress_spec = 2u;
}

SNIC_FOLDED void action__replication96(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:96 */
    p->scalars.metadata_t__mark = 238u;
    /* replication.p4:97 */
    if (snic_bit(p->valid, valid_command))
        snic_set64(p->command, 8, 8, 55u);
    /* replication.p4:98 */
    p->scalars.tmp_1 = snic_get64(p->command, 16, 16);
    /* replication.p4:98 */
    p->base.clone_session = snic_index32(p->scalars.tmp_1);
    p->base.clone_fields = 1;
    p->base.clone_requested = true;
}

SNIC_FOLDED void action__replication100(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:100 */
    if (snic_bit(p->valid, valid_command))
        snic_set64(p->command, 8, 8, snic_get64(p->command, 8, 8) + 255u);
    /* replication.p4:101 */
    p->scalars.metadata_t__mark = 17u;
    /* replication.p4:102 */
    p->base.recirculate = 1;
}

SNIC_FOLDED void action__replication104(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:104 */
    p->standard_metadata.egress_spec = SNIC_DROP_PORT;
    p->standard_metadata.mcast_grp = 0;
}

SNIC_FOLDED void action__replication107(struct snic_worker *w, struct packet *p, const uint8_t *args)
{
    (void)w;
    (void)args;
    /* replication.p4:107 */
    if (!snic_bit(p->valid, valid_stamp)) {
        snic_set_bit(p->valid, valid_stamp);
        p->base.length += 6;
    }
    /* replication.p4:108 */
    if (snic_bit(p->valid, valid_stamp))
        snic_set64(p->stamp, 0, 3, p->standard_metadata.priority);
    /* replication.p4:109 */
    if (snic_bit(p->valid, valid_stamp))
        snic_set64(p->stamp, 3, 5, p->standard_metadata.instance_type);
    /* replication.p4:110 */
    if (snic_bit(p->valid, valid_stamp))
        snic_set64(p->stamp, 8, 8, (uint64_t)p->scalars.metadata_t__mark | p->scalars.metadata_t__lost);
    /* replication.p4:111 */
    if (snic_bit(p->valid, valid_stamp))
        snic_set64(p->stamp, 16, 16, p->standard_metadata.egress_rid);
    /* replication.p4:112 */
    if (snic_bit(p->valid, valid_stamp))
        snic_set64(p->stamp, 32, 16, p->standard_metadata.packet_length);
}

/* ---- ingress ---- */

SNIC_FOLDED uint32_t program_ingress(struct snic_worker *w, struct packet *p, struct parked *k)
{
    (void)k;
    action__replication57(w, p, NULL); /* replication.p4:57 */
    if (snic_bit(p->valid, valid_command)) { /* replication.p4:58 */
        goto node_4;
    }
    goto end;
node_4:
    if (snic_get64(p->command, 0, 8) == 1u) { /* replication.p4:61 */
        goto tbl_replication62;
    }
    if ((snic_get64(p->command, 0, 8) == 2u) || (snic_get64(p->command, 0, 8) == 10u)) { /* replication.p4:63 */
        goto tbl_replication64;
    }
    if (snic_get64(p->command, 0, 8) == 4u) { /* replication.p4:71 */
        goto node_11;
    }
    if (snic_get64(p->command, 0, 8) == 11u) { /* replication.p4:77 */
        goto tbl_replication78;
    }
    if (snic_get64(p->command, 0, 8) == 6u) { /* replication.p4:79 */
        goto tbl_replication80;
    }
    if (snic_get64(p->command, 0, 8) == 7u) { /* replication.p4:81 */
        goto tbl_replication82;
    }
    if (snic_get64(p->command, 0, 8) == 8u) { /* replication.p4:83 */
        goto tbl_replication84;
    }
    goto end;
tbl_replication84:
    action__replication84(w, p, NULL); /* replication.p4:84 */
    goto end;
tbl_replication82:
    action__replication82(w, p, NULL); /* replication.p4:82 */
    goto end;
tbl_replication80:
    action__replication80(w, p, NULL); /* replication.p4:80 */
    goto end;
tbl_replication78:
    action__replication78(w, p, NULL); /* replication.p4:78 */
    goto end;
node_11:
    if (p->standard_metadata.instance_type == 0u) { /* replication.p4:72 */
        goto tbl_replication73;
    }
    goto end;
tbl_replication73:
    action__replication73(w, p, NULL); /* replication.p4:73 */
    goto end;
tbl_replication64:
    action__replication64(w, p, NULL); /* replication.p4:64 */
    if (snic_get64(p->command, 0, 8) == 10u) { /* replication.p4:68 */
        goto tbl_replication69;
    }
    goto end;
tbl_replication69:
    action__replication69(w, p, NULL); /* replication.p4:69 */
    goto end;
tbl_replication62:
    action__replication62(w, p, NULL); /* replication.p4:62 */
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
    (void)k;
    if (snic_bit(p->valid, valid_command)) { /* replication.p4:92 */
        goto node_24;
    }
    goto end;
node_24:
    if ((snic_get64(p->command, 0, 8) == 3u) && (p->standard_metadata.instance_type == 0u)) { /* replication.p4:95 */
        goto tbl_replication96;
    }
    if ((snic_get64(p->command, 0, 8) == 5u) && (snic_get64(p->command, 8, 8) > 0u)) { /* replication.p4:99 */
        goto tbl_replication100;
    }
    if (snic_get64(p->command, 0, 8) == 9u) { /* replication.p4:103 */
        goto tbl_replication104;
    }
    goto node_30;
tbl_replication104:
    action__replication104(w, p, NULL); /* replication.p4:104 */
    goto node_30;
tbl_replication100:
    action__replication100(w, p, NULL); /* replication.p4:100 */
    goto node_30;
tbl_replication96:
    action__replication96(w, p, NULL); /* replication.p4:96 */
node_30:
    if ((snic_get64(p->command, 0, 8) != 5u) || (snic_get64(p->command, 8, 8) == 0u)) { /* replication.p4:106 */
        goto tbl_replication107;
    }
    goto end;
tbl_replication107:
    action__replication107(w, p, NULL); /* replication.p4:107 */
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
    p->standard_metadata.packet_length = (uint32_t)value;
}

SNIC_FOLDED void program_set_ingress_port(struct packet *p, uint32_t value)
{
    (void)p;
    (void)value;
}

SNIC_FOLDED void program_set_egress_rid(struct packet *p, uint32_t value)
{
    p->standard_metadata.egress_rid = (uint16_t)value;
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
    p->standard_metadata.packet_length = (uint32_t)p->base.length;
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
    p->standard_metadata.packet_length = (uint32_t)p->base.length;
}

/* Clears all metadata but the fields of a list, 1 + its index (0: of none), which come from `origin`. */
static void program_keep_metadata(struct packet *p, const struct packet *origin, uint32_t fields)
{
    memset(&p->scalars, 0, sizeof p->scalars);
    memset(&p->standard_metadata, 0, sizeof p->standard_metadata);
    switch (fields) {
        case 1: /* field_list1 */
            p->scalars.metadata_t__mark = origin->scalars.metadata_t__mark;
            break;
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
    if (snic_bit(p->valid, valid_command)) {
        memset(p->command, 0, sizeof p->command);
    }
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
    {"replication57", 0},
};

static const struct snic_action_desc table_1_actions[] = {
    {"replication62", 0},
};

static const struct snic_action_desc table_2_actions[] = {
    {"replication64", 0},
};

static const struct snic_action_desc table_3_actions[] = {
    {"replication69", 0},
};

static const struct snic_action_desc table_4_actions[] = {
    {"replication73", 0},
};

static const struct snic_action_desc table_5_actions[] = {
    {"replication78", 0},
};

static const struct snic_action_desc table_6_actions[] = {
    {"replication80", 0},
};

static const struct snic_action_desc table_7_actions[] = {
    {"replication82", 0},
};

static const struct snic_action_desc table_8_actions[] = {
    {"replication84", 0},
};

static const struct snic_action_desc table_9_actions[] = {
    {"replication96", 0},
};

static const struct snic_action_desc table_10_actions[] = {
    {"replication100", 0},
};

static const struct snic_action_desc table_11_actions[] = {
    {"replication104", 0},
};

static const struct snic_action_desc table_12_actions[] = {
    {"replication107", 0},
};

static const struct snic_table_desc tables[] = {
    {
        .name = "tbl_replication57",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_0_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_replication62",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_1_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_replication64",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_2_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_replication69",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_3_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_replication73",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_4_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_replication78",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_5_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_replication80",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_6_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_replication82",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_7_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_replication84",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_8_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_replication96",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_9_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_replication100",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_10_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_replication104",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_11_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
    {
        .name = "tbl_replication107",
        .match = SNIC_EXACT, .key_bytes = 0, .key_room = 0,
        .n_actions = 1, .actions = table_12_actions,
        .max_args_bytes = 0, .max_size = 1024,
        .profile = SNIC_NO_PROFILE,
    },
};

extern const struct snic_program snic_program_v1;
const struct snic_program snic_program_v1 = {
    .abi = SNIC_ABI,
    .json_sha256 = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed",
    .name = "tests/p4/replication.p4",
    .n_tables = 13, .tables = tables,
    .n_round_robins = 0,
    .scratch_bytes = sizeof(struct machine),
    .vector = VECTOR,
    .run = machine_run,
};
