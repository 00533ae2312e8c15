/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simple_switch's architecture around the two pipelines: what becomes of a packet between and after them.
 *
 * After ingress, in this order: the ingress clone, the digest, resubmission, multicast, drop, unicast. After egress:
 * the egress clone, drop, deparsing, recirculation, output.
 *
 * Each received frame runs to its end, and while it is one packet it can stay in the processor's registers. Where a
 * table does not stay in the cache, frames run as a vector instead: each stage of a pipeline over all of them, so that
 * their cache misses overlap.
 *
 * A packet that makes more packets goes to queues of its own (snic_copies.h) and is run to its end, after the
 * packets that arrived before it were sent and before those that arrived after it: what leaves keeps the order of
 * arrival.
 *
 * A compiled program includes this once, behind its own functions, which are named program_*, and its constants:
 *   VECTOR (at most 64), INGRESS_STAGES, EGRESS_STAGES, HEADERS_MAX_BYTES, PACKETS_IN_REGISTERS
 *
 * Threads: a machine is a worker's scratch memory, used by one thread at a time. It starts as zero bytes, and the
 * packets of the vector are zero again whenever `machine_run` returns.
 */
#ifndef SNIC_MACHINE_H
#define SNIC_MACHINE_H

#include "snic_copies.h"
#include "snic_words.h"

/* For one received packet; a program that resubmits, recirculates or clones without end is cut short. */
#define MAX_INGRESS_PASSES 256u
#define MAX_EGRESS_PASSES 8192u

struct machine {
    struct packet packets[VECTOR];
    struct parked parked[VECTOR];
    struct packet current; /* the one that left the vector's ways */
    struct copies copies;
    uint32_t ingress_passes;
    uint32_t egress_passes;
    uint8_t sent[HEADERS_MAX_BYTES + RECIRCULATED_BYTES];
};

/* ---- the program, for packets in memory: compiled once, not wherever it is called ---- */

static __attribute__((noinline)) uint32_t ingress(struct snic_worker *w, struct packet *p, struct parked *k)
{
    return program_ingress(w, p, k);
}

static __attribute__((noinline)) uint32_t egress(struct snic_worker *w, struct packet *p, struct parked *k)
{
    return program_egress(w, p, k);
}

static __attribute__((noinline)) void before_deparsing(struct snic_worker *w, struct packet *p)
{
    program_before_deparsing(w, p);
}

/* ---- after the pipelines ---- */

/* Everything but unicast ends here; true: the packet goes on to egress, to the port that egress_spec says. */
static inline bool after_ingress(struct snic_worker *w, struct machine *m, struct packet *p)
{
    if (p->base.clone_requested) {
        clone_from_ingress(w, &m->copies, p);
        p->base.clone_requested = false;
        if (p->base.aborted)
            return false;
    }
    if (p->base.digest)
        program_digest(w, p);
    if (p->base.resubmit) {
        resubmit(w, &m->copies, p);
        return false;
    }
    uint32_t group = program_mcast_grp(p);
    if (group != 0) {
        multicast(w, &m->copies, p, group);
        return false;
    }
    if (program_egress_spec(p) == SNIC_DROP_PORT)
        return false;
    program_set_instance_type(p, NORMAL);
    return true;
}

/*
 * Headers and payload as they leave. Headers are written in front of the payload where `room` bytes there may be
 * overwritten, else both into `m->sent`; `*length` is cut as the packet asked for.
 */
SNIC_FOLDED const uint8_t *join(struct machine *m, const struct packet *p, size_t room, uint32_t *length)
{
    uint8_t *payload = (uint8_t *)p->base.payload;
    if (room < HEADERS_MAX_BYTES && room < program_headers_bytes(p)) {
        payload = m->sent + HEADERS_MAX_BYTES;
        memcpy(payload, p->base.payload, p->base.payload_length);
    }
    const uint8_t *first = program_emit_headers(p, payload);
    *length = truncated(p, (uint32_t)(payload - first) + p->base.payload_length);
    return first;
}

static inline void after_egress(struct snic_worker *w, struct machine *m, struct packet *p)
{
    if (p->base.clone_requested) {
        clone_from_egress(w, &m->copies, p);
        p->base.clone_requested = false;
    }
    if (program_egress_spec(p) == SNIC_DROP_PORT)
        return;
    before_deparsing(w, p);
    if (p->base.aborted)
        return;
    uint32_t length;
    const uint8_t *bytes = join(m, p, 0, &length); /* what its copies refer to is not overwritten */
    if (p->base.recirculate)
        recirculate(w, &m->copies, p, bytes, length);
    else
        snic_output(w, p->base.port, bytes, length);
}

/* ---- one packet at a time ---- */

static inline void run_ingress(struct snic_worker *w, struct machine *m, struct packet *p)
{
    if (++m->ingress_passes > MAX_INGRESS_PASSES) {
        snic_anomaly(w, SNIC_INGRESS_PASSES_EXCEEDED);
        return;
    }
    parse(w, p);
    if (p->base.aborted)
        return;
    program_parsed(w, p);
    ingress(w, p, NULL);
    if (!p->base.aborted && after_ingress(w, m, p))
        enqueue_unicast(w, &m->copies, p, program_egress_spec(p));
}

static inline void run_egress(struct snic_worker *w, struct machine *m, struct packet *p)
{
    if (++m->egress_passes > MAX_EGRESS_PASSES) {
        snic_anomaly(w, SNIC_EGRESS_PASSES_EXCEEDED);
        return;
    }
    program_enter_egress(w, p);
    egress(w, p, NULL);
    if (!p->base.aborted)
        after_egress(w, m, p);
}

/* The next copy of the queue's first packet goes to `m->current`. */
static inline void take_copy(struct machine *m)
{
    struct job *job = &m->copies.egress.jobs[m->copies.egress.first];
    m->current = job->packet;
    if (job->replicas != NULL) {
        m->current.base.port = job->replicas[job->done].port;
        program_set_egress_rid(&m->current, job->replicas[job->done].instance);
    }
    if (++job->done == job->count)
        queue_pop(&m->copies.egress);
}

/* Until nothing is left of the packet that was received from `port`. */
static __attribute__((noinline)) void drain(struct snic_worker *w, struct machine *m, uint32_t port)
{
    while (m->copies.egress.length > 0 || m->copies.ingress.length > 0) {
        if (m->copies.egress.length > 0) {
            take_copy(m);
            run_egress(w, m, &m->current);
        } else {
            m->current = m->copies.ingress.jobs[m->copies.ingress.first].packet;
            m->current.base.port = port;
            queue_pop(&m->copies.ingress);
            run_ingress(w, m, &m->current);
        }
    }
    m->ingress_passes = m->egress_passes = m->copies.recirculated_length = 0;
}

/* ---- packets that become more ---- */

SNIC_FOLDED bool makes_copies_in_ingress(const struct packet *p)
{
    return p->base.clone_requested || p->base.resubmit || program_mcast_grp(p) != 0;
}

SNIC_FOLDED bool makes_copies_in_egress(const struct packet *p)
{
    return p->base.clone_requested || p->base.recirculate;
}

/* All that becomes of a packet that was received from `port` and has been through ingress. */
static inline void finish_ingress(struct snic_worker *w, struct machine *m, struct packet *p, uint32_t port)
{
    m->ingress_passes = 1;
    if (after_ingress(w, m, p))
        enqueue_unicast(w, &m->copies, p, program_egress_spec(p));
    drain(w, m, port);
}

/* Likewise, through egress. */
static inline void finish_egress(struct snic_worker *w, struct machine *m, struct packet *p, uint32_t port)
{
    m->ingress_passes = m->egress_passes = 1;
    after_egress(w, m, p);
    drain(w, m, port);
}

/* ---- steps of a received packet ---- */

SNIC_FOLDED void packet_receive(struct snic_worker *w, struct packet *p, const struct snic_frame *frame)
{
    packet_begin(p, frame->data, frame->length, frame->length);
    p->base.port = frame->port;
    program_received(w, p);
}

SNIC_FOLDED void packet_enter_egress(struct snic_worker *w, struct packet *p)
{
    p->base.port = program_egress_spec(p);
    program_enter_egress(w, p);
}

SNIC_FOLDED void packet_leave(struct snic_worker *w, struct machine *m, const struct packet *p,
                              const struct snic_frame *frame)
{
    uint32_t length;
    size_t room = (size_t)(p->base.payload - frame->data) + SNIC_HEADROOM;
    const uint8_t *bytes = join(m, p, room, &length);
    snic_output(w, p->base.port, bytes, length);
}

/* ---- the vector ---- */

typedef uint64_t packet_set; /* bit i: packet i of the vector */

static inline packet_set bit(uint32_t i)
{
    return (packet_set)1 << i;
}

#define EACH_PACKET(i, set) \
    for (packet_set left_ = (set); left_ != 0 && ((i) = (uint32_t)__builtin_ctzll(left_), true); left_ &= left_ - 1)

/*
 * Runs the packets of `set` through a pipeline. `step` runs one until its end or until it parks in front of a stage;
 * stages are in topological order, so a stage that was left behind stays empty. In a stage, packets keep the order of
 * arrival.
 */
static inline __attribute__((always_inline)) void
run_pipeline(struct snic_worker *w, struct machine *m, packet_set set, uint32_t stages,
             uint32_t (*step)(struct snic_worker *, struct packet *, struct parked *),
             void (*advance)(struct snic_worker *, struct parked *, uint32_t))
{
    packet_set waiting[(INGRESS_STAGES > EGRESS_STAGES ? INGRESS_STAGES : EGRESS_STAGES) + 1];
    uint32_t i;
    if (stages == 0 || (set & (set - 1)) == 0) {
        EACH_PACKET(i, set)
            step(w, &m->packets[i], NULL);
        return;
    }
    memset(waiting, 0, sizeof waiting);
    EACH_PACKET(i, set) {
        m->parked[i].at = 0;
        waiting[step(w, &m->packets[i], &m->parked[i])] |= bit(i);
    }
    for (uint32_t stage = 1; stage <= stages; stage++) {
        EACH_PACKET(i, waiting[stage])
            advance(w, &m->parked[i], stage);
        EACH_PACKET(i, waiting[stage])
            waiting[step(w, &m->packets[i], &m->parked[i])] |= bit(i);
    }
}

/* What egress left of `set`, in order of arrival. */
static inline void send(struct snic_worker *w, struct machine *m, const struct snic_frame *frames, packet_set set)
{
    uint32_t i;
    EACH_PACKET(i, set) {
        struct packet *p = &m->packets[i];
        if (p->base.aborted)
            continue;
        if (makes_copies_in_egress(p)) {
            finish_egress(w, m, p, frames[i].port);
            continue;
        }
        if (program_egress_spec(p) == SNIC_DROP_PORT)
            continue;
        before_deparsing(w, p);
        if (!p->base.aborted)
            packet_leave(w, m, p, &frames[i]);
    }
}

static inline void run_egress_of_all(struct snic_worker *w, struct machine *m, const struct snic_frame *frames,
                                     packet_set set)
{
    uint32_t i;
    EACH_PACKET(i, set) {
        struct packet *p = &m->packets[i];
        packet_enter_egress(w, p);
    }
    run_pipeline(w, m, set, EGRESS_STAGES, egress, program_egress_advance);
    send(w, m, frames, set);
}

static inline packet_set receive(struct snic_worker *w, struct machine *m, const struct snic_frame *frames,
                                 uint32_t count)
{
    packet_set received = 0;
    uint32_t i;
    for (i = 0; i < count; i++)
        __builtin_prefetch(frames[i].data);
    for (i = 0; i < count; i++) {
        struct packet *p = &m->packets[i];
        packet_receive(w, p, &frames[i]);
        parse(w, p);
        if (!p->base.aborted)
            received |= bit(i);
    }
    EACH_PACKET(i, received)
        program_parsed(w, &m->packets[i]);
    return received;
}

/* While tables are large: all packets through one stage, then through the next. */
static void run_vector(struct snic_worker *w, struct machine *m, const struct snic_frame *frames, uint32_t count)
{
    uint32_t i;
    packet_set unicast = 0;
    packet_set received = receive(w, m, frames, count);
    run_pipeline(w, m, received, INGRESS_STAGES, ingress, program_ingress_advance);
    EACH_PACKET(i, received) {
        struct packet *p = &m->packets[i];
        if (p->base.aborted)
            continue;
        if (!makes_copies_in_ingress(p)) {
            if (after_ingress(w, m, p))
                unicast |= bit(i);
            continue;
        }
        run_egress_of_all(w, m, frames, unicast);
        unicast = 0;
        finish_ingress(w, m, p, frames[i].port);
    }
    run_egress_of_all(w, m, frames, unicast);
    for (i = 0; i < count; i++)
        program_clear(&m->packets[i]);
}

/* ---- one by one ---- */

/* How far `run_straight` brings a packet. */
enum way { ENDED, TO_AFTER_INGRESS, TO_AFTER_EGRESS };

/* As long as a packet stays one packet, to its end. `p` is all zero. */
SNIC_FOLDED enum way run_straight(struct snic_worker *w, struct machine *m, struct packet *p,
                                  const struct snic_frame *frame)
{
    packet_receive(w, p, frame);
    program_parse(w, p);
    if (p->base.aborted)
        return ENDED;
    program_parsed(w, p);
    program_ingress(w, p, NULL);
    if (p->base.aborted)
        return ENDED;
    if (makes_copies_in_ingress(p) || p->base.digest)
        return TO_AFTER_INGRESS;
    if (program_egress_spec(p) == SNIC_DROP_PORT)
        return ENDED;
    program_set_instance_type(p, NORMAL);
    packet_enter_egress(w, p);
    program_egress(w, p, NULL);
    if (p->base.aborted)
        return ENDED;
    if (makes_copies_in_egress(p))
        return TO_AFTER_EGRESS;
    if (program_egress_spec(p) == SNIC_DROP_PORT)
        return ENDED;
    program_before_deparsing(w, p);
    if (!p->base.aborted)
        packet_leave(w, m, p, frame);
    return ENDED;
}

static __attribute__((noinline, cold)) void finish(struct snic_worker *w, struct machine *m, struct packet *p,
                                                   uint32_t port, enum way way)
{
    if (way == TO_AFTER_INGRESS)
        finish_ingress(w, m, p, port);
    else
        finish_egress(w, m, p, port);
    program_clear(p);
}

/*
 * While no table is large. What can stay in registers is a packet of its own for the C compiler, which sees all of its
 * way; only if it becomes more packets it has to be in memory.
 */
static void run_each(struct snic_worker *w, struct machine *m, const struct snic_frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct packet *in_memory = &m->packets[0];
#if PACKETS_IN_REGISTERS
        struct packet packet = {0};
        enum way way = run_straight(w, m, &packet, &frames[i]);
        if (__builtin_expect(way != ENDED, 0)) {
            *in_memory = packet;
            finish(w, m, in_memory, frames[i].port, way);
        }
#else
        enum way way = run_straight(w, m, in_memory, &frames[i]);
        if (way == ENDED)
            program_clear(in_memory);
        else
            finish(w, m, in_memory, frames[i].port, way);
#endif
    }
}

static void machine_run(struct snic_worker *w, struct snic_frame *frames, uint32_t count)
{
    if (INGRESS_STAGES + EGRESS_STAGES > 0 && program_parks(w))
        run_vector(w, w->scratch, frames, count);
    else
        run_each(w, w->scratch, frames, count);
}

#endif
