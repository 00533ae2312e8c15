/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One program with its control-plane state: what the control plane calls.
 *
 * Threads: one writer at a time (the caller serialises), any number of workers running packets meanwhile; a worker
 * never waits for the writer. What a write unlinks is freed once every worker has passed a quiescent point
 * (snic_epoch.h).
 * Errors: 0 or a negative `enum snic_error`; a call that fails has changed nothing. Nothing here prints or exits.
 *
 * A match is two byte strings of the table's key_bytes: `key` and `mask`. An exact field has an all-ones mask (which
 * is not looked at in a table whose match is SNIC_EXACT: there `mask` may be NULL), an lpm field the mask of its
 * prefix, a range field its low end in `key` and its high end in `mask`. Bits of `key` outside of the mask are zero.
 * Larger priority wins; tables without a ternary or range field have priority 0.
 */
#ifndef SNIC_ENGINE_H
#define SNIC_ENGINE_H

#include "snic_program.h"
#include "snic_worker.h"

/* Where a scan's cursor stands when it has seen all entries. */
#define SNIC_CURSOR_END 18446744073709551615u

enum snic_error {
    SNIC_OK = 0,
    SNIC_EXISTS = -1,
    SNIC_NOT_FOUND = -2,
    SNIC_IN_USE = -3,
    SNIC_NO_ROOM = -4,     /* the declared size is reached */
    SNIC_NO_MEMORY = -5,
    SNIC_NO_MEMBER = -6,   /* a member or group that is referred to is not there */
    SNIC_BAD_PROGRAM = -7, /* other ABI or other JSON */
    SNIC_NOT_LOADED = -8,  /* dlopen or dlsym failed */
};

struct snic_engine;

/* What an entry does: an action of the table with its arguments, a member, or a group of the table's profile. */
enum snic_target_kind { SNIC_TARGET_NONE, SNIC_TARGET_ACTION, SNIC_TARGET_MEMBER, SNIC_TARGET_GROUP };

struct snic_target {
    enum snic_target_kind kind;
    uint32_t id; /* index of the action among the table's; or the client's id of the member or group */
    const uint8_t *args;
};

struct snic_count {
    uint64_t packets;
    uint64_t bytes;
};

/*
 * RFC 2698; rates in packets or bytes per second, bursts in packets or bytes. With an excess burst, RFC 2697: there the
 * peak means nothing.
 */
struct snic_rates {
    uint64_t committed_rate, committed_burst, peak_rate, peak_burst, excess_burst;
};

/* Green, yellow, red. */
struct snic_colour_counts {
    struct snic_count of[3];
};

struct snic_group_member {
    uint32_t member_id;
    uint32_t weight;
    int32_t watch_port; /* -1: none */
};

struct snic_replica {
    uint32_t port;
    uint32_t instance;
};

/* What there is of an entry; `key`, `mask` and `args` point into memory that lives until the next write. */
struct snic_entry_view {
    const uint8_t *key;
    const uint8_t *mask; /* NULL in a table whose match is SNIC_EXACT */
    struct snic_target target;
    int32_t priority;
    uint64_t idle_timeout_ns;
    uint64_t last_hit_ns;
};

/* A copy of an entry. Its bytes: the key, the mask (unless the table's match is SNIC_EXACT), max_args_bytes. */
struct snic_entry_copy {
    uint64_t idle_timeout_ns;
    uint32_t kind; /* enum snic_target_kind */
    uint32_t id;
    int32_t priority;
    uint8_t bytes[];
};

/* ---- life ---- */
int snic_engine_open(const char *path, const char *json_sha256, struct snic_engine **engine);
void snic_engine_close(struct snic_engine *engine); /* no worker may be running */
/*
 * Goes on with `path`: the same program, compiled otherwise. No packet runs while they are exchanged; state is
 * untouched. May be called by another thread than the writer's. SNIC_BAD_PROGRAM: it is another program.
 */
int snic_engine_upgrade(struct snic_engine *engine, const char *path);
const struct snic_program *snic_engine_program(const struct snic_engine *engine);
const char *snic_strerror(int error);
/*
 * What workers see as now; 0: the monotonic clock again. The first call of an engine also sets the beginning of its
 * time: worker->now_us is 0 then.
 */
void snic_set_clock(struct snic_engine *engine, uint64_t now_ns);

/* ---- tables; `table` is its index in the program ---- */
int snic_insert(struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask, int32_t priority,
                const struct snic_target *target, uint64_t idle_timeout_ns);
int snic_modify(struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask, int32_t priority,
                const struct snic_target *target, uint64_t idle_timeout_ns);
int snic_delete(struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask, int32_t priority);
int snic_get(const struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask,
             int32_t priority, struct snic_entry_view *view);
int snic_set_default(struct snic_engine *engine, uint32_t table, const struct snic_target *target);
int snic_get_default(const struct snic_engine *engine, uint32_t table, struct snic_target *target);
uint32_t snic_entry_count(const struct snic_engine *engine, uint32_t table);
/* From one struct snic_entry_copy of the table to the next, a multiple of 8. */
uint32_t snic_entry_copy_bytes(const struct snic_engine *engine, uint32_t table);
/* All entries, snic_entry_count of them, in insertion order. */
void snic_copy_entries(const struct snic_engine *engine, uint32_t table, uint8_t *copies);
/*
 * Up to `room` entries with a timeout that have not been hit for longer than it, in insertion order from `*cursor`
 * (0 at first), which moves on; looks at no more than `budget`. Returns how many; at the end `*cursor` is
 * SNIC_CURSOR_END. With writes between the calls, some may come twice or not at all.
 */
uint32_t snic_idle_entries(const struct snic_engine *engine, uint32_t table, uint64_t *cursor, uint32_t budget,
                           struct snic_entry_view *views, uint32_t room);
/*
 * What packets leave on entries. NULL for `key` is the default entry: misses count there, and are marked once its meter
 * is configured.
 */
int snic_read_direct_counter(const struct snic_engine *engine, uint32_t table, const uint8_t *key,
                             const uint8_t *mask, int32_t priority, struct snic_count *count);
int snic_write_direct_counter(struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask,
                              int32_t priority, const struct snic_count *count);
/* NULL rates: unconfigured. Reading such a meter sets `*configured` to false. */
int snic_read_direct_meter(const struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask,
                           int32_t priority, struct snic_rates *rates, bool *configured);
int snic_write_direct_meter(struct snic_engine *engine, uint32_t table, const uint8_t *key, const uint8_t *mask,
                            int32_t priority, const struct snic_rates *rates);
int snic_read_direct_meter_counts(const struct snic_engine *engine, uint32_t table, const uint8_t *key,
                                  const uint8_t *mask, int32_t priority, struct snic_colour_counts *counts);
int snic_write_direct_meter_counts(struct snic_engine *engine, uint32_t table, const uint8_t *key,
                                   const uint8_t *mask, int32_t priority, const struct snic_colour_counts *counts);
/* Hits and misses of a table, over all workers. */
void snic_table_hits(const struct snic_engine *engine, uint32_t table, uint64_t *hits, uint64_t *misses);
/* Bytes of memory that the table's entries and indexes take. */
size_t snic_table_memory(const struct snic_engine *engine, uint32_t table);

/* ---- action profiles and selectors ---- */
int snic_insert_member(struct snic_engine *engine, uint32_t profile, uint32_t member_id, uint32_t action,
                       const uint8_t *args);
int snic_modify_member(struct snic_engine *engine, uint32_t profile, uint32_t member_id, uint32_t action,
                       const uint8_t *args);
int snic_delete_member(struct snic_engine *engine, uint32_t profile, uint32_t member_id);
int snic_insert_group(struct snic_engine *engine, uint32_t profile, uint32_t group_id,
                      const struct snic_group_member *members, uint32_t count);
int snic_modify_group(struct snic_engine *engine, uint32_t profile, uint32_t group_id,
                      const struct snic_group_member *members, uint32_t count);
int snic_delete_group(struct snic_engine *engine, uint32_t profile, uint32_t group_id);
/*
 * The profile's groups pick `hash % n` over their active members (BMv2's way) or resiliently: only a lost member's
 * share moves.
 */
void snic_set_resilient(struct snic_engine *engine, uint32_t profile, bool resilient);
void snic_set_port_up(struct snic_engine *engine, uint32_t port, bool up);

/* ---- extern arrays; indices are checked: SNIC_NOT_FOUND ---- */
int snic_read_counter(const struct snic_engine *engine, uint32_t counter, uint32_t index, struct snic_count *count);
int snic_write_counter(struct snic_engine *engine, uint32_t counter, uint32_t index, const struct snic_count *count);
int snic_read_meter(const struct snic_engine *engine, uint32_t meter, uint32_t index, struct snic_rates *rates,
                    bool *configured);
int snic_write_meter(struct snic_engine *engine, uint32_t meter, uint32_t index, const struct snic_rates *rates);
int snic_read_meter_counts(const struct snic_engine *engine, uint32_t meter, uint32_t index,
                           struct snic_colour_counts *counts);
int snic_write_meter_counts(struct snic_engine *engine, uint32_t meter, uint32_t index,
                            const struct snic_colour_counts *counts);
/* Big-endian, (width + 7) / 8 bytes. */
int snic_read_register(const struct snic_engine *engine, uint32_t reg, uint32_t index, uint8_t *value);
int snic_write_register(struct snic_engine *engine, uint32_t reg, uint32_t index, const uint8_t *value);
/* `members`: `count` packed keys, one behind the other. */
int snic_set_value_set(struct snic_engine *engine, uint32_t value_set, const uint8_t *members, uint32_t count);

/* ---- packet replication ---- */
int snic_set_multicast_group(struct snic_engine *engine, uint32_t group, const struct snic_replica *replicas,
                             uint32_t count);
/* count 0 removes the session; packet_length_bytes 0: not truncated. */
int snic_set_clone_session(struct snic_engine *engine, uint32_t session, const struct snic_replica *replicas,
                           uint32_t count, uint32_t packet_length_bytes, uint32_t class_of_service);

/* ---- packets ---- */
/* The worker of that number, made on first use; NULL without memory. The caller sets its sink. */
struct snic_worker *snic_worker(struct snic_engine *engine, uint32_t number);
/*
 * SNIC_NO_ROOM: a frame is longer than SNIC_MAX_FRAME_BYTES, and none was run. Copies `count` frames in front of which
 * there is no headroom into the worker's own buffers and runs them.
 */
int snic_process(struct snic_worker *worker, const struct snic_frame *frames, uint32_t count);
/* Runs frames where they are: with SNIC_HEADROOM in front. Any count; waits while the engine is paused. */
int snic_run(struct snic_worker *worker, struct snic_frame *frames, uint32_t count);
uint64_t snic_anomaly_count(const struct snic_engine *engine, enum snic_anomaly what);
extern const char *const snic_anomaly_names[SNIC_ANOMALIES];
/* While paused, no worker is inside `run`, and none enters it. Pause waits for those inside. Nests. */
void snic_pause(struct snic_engine *engine);
void snic_resume(struct snic_engine *engine);

#endif
