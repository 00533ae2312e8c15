/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simple_switch's architecture around the two pipelines: what becomes of a packet between and after them.
 *
 * After ingress, in this order: the ingress clone, the digest, resubmission, multicast, drop, unicast. After egress:
 * the egress clone, drop, deparsing, recirculation, output.
 *
 * Received frames run as a vector: each stage of a pipeline over all of them, so that their cache misses overlap. A
 * packet that makes more packets leaves the vector for queues of its own (`struct machine`) and is run to its end,
 * after the packets that arrived before it were sent and before those that arrived after it: what leaves keeps the
 * order of arrival.
 *
 * A compiled program includes this once, behind its own functions, which are named program_*, and its constants:
 *   VECTOR (at most 64), INGRESS_STAGES, EGRESS_STAGES, HEADERS_MAX_BYTES
 *
 * Threads: a machine is a worker's scratch memory, used by one thread at a time. It starts as zero bytes, and the
 * packets of the vector are zero again whenever `machine_run` returns.
 */
#ifndef SNIC_MACHINE_H
#define SNIC_MACHINE_H

#include "snic_packet_api.h"

enum { NORMAL = 0, INGRESS_CLONE = 1, EGRESS_CLONE = 2, RECIRCULATED = 4, REPLICATED = 5, RESUBMITTED = 6 };

/* For one received packet; a program that resubmits, recirculates or clones without end is cut short. */
#define MAX_INGRESS_PASSES 256u
#define MAX_EGRESS_PASSES 8192u

#define QUEUE_SLOTS 512u
#define RECIRCULATED_BYTES (4u << 20)

_Static_assert(SNIC_MAX_FRAME_BYTES <= RECIRCULATED_BYTES, "a received frame fits where a recirculated one does");

/* A packet that waits for a pipeline; in front of egress, with where its copies go. */
struct job {
    struct packet packet;
    const struct snic_replica *replicas; /* NULL: to packet.base.port only */
    uint32_t count;
    uint32_t done;
};

struct queue {
    uint32_t first;
    uint32_t length;
    struct job jobs[QUEUE_SLOTS];
};

struct machine {
    struct packet packets[VECTOR];
    struct parked parked[VECTOR];
    struct packet current; /* the one that left the vector's ways */
    struct queue ingress;
    struct queue egress;
    uint32_t ingress_passes;
    uint32_t egress_passes;
    uint32_t recirculated_length;
    uint8_t recirculated[RECIRCULATED_BYTES]; /* bytes of recirculated packets, until the received one is done */
    uint8_t sent[HEADERS_MAX_BYTES + RECIRCULATED_BYTES];
};

/* ---- queues ---- */

/* The slot behind the last; NULL, counted, if the queue is full. It is taken once `queue_push` says so. */
static inline struct job *queue_slot(struct snic_worker *w, struct queue *queue)
{
    if (queue->length == QUEUE_SLOTS) {
        snic_anomaly(w, SNIC_QUEUE_FULL);
        return NULL;
    }
    return &queue->jobs[(queue->first + queue->length) % QUEUE_SLOTS];
}

static inline void queue_push(struct queue *queue)
{
    queue->length++;
}

static inline void queue_pop(struct queue *queue)
{
    queue->first = (queue->first + 1) % QUEUE_SLOTS;
    queue->length--;
}

/* ---- a packet's beginning and end ---- */

/* `p` is all zero. */
static inline void packet_begin(struct packet *p, const uint8_t *bytes, uint32_t length, uint32_t received_length)
{
    p->base.bytes = bytes;
    p->base.bytes_length = length;
    p->base.length = length;
    p->base.received_length = received_length;
    p->base.truncate_to = SNIC_NOT_TRUNCATED;
}

static inline uint32_t truncated(const struct packet *p, uint32_t length)
{
    return length < p->base.truncate_to ? length : p->base.truncate_to;
}

/* Of the packet as it entered this pass of ingress. `again` may hold anything. */
static inline void packet_begin_again(struct packet *again, const struct packet *p)
{
    memset(again, 0, sizeof *again);
    packet_begin(again, p->base.bytes, truncated(p, p->base.bytes_length), p->base.received_length);
    again->base.length = p->base.bytes_length;
    again->base.port = p->base.port;
}

/* Without what it has asked the target for. */
static inline void packet_copy(struct packet *copy, const struct packet *p)
{
    *copy = *p;
    copy->base.clone_requested = false;
    copy->base.digest = copy->base.resubmit = copy->base.recirculate = 0;
}

/* ---- replication ---- */

static inline void replicate(struct machine *m, struct job *job, const struct snic_replica *replicas, uint32_t count)
{
    job->replicas = replicas;
    job->count = count;
    job->done = 0;
    if (count > 0)
        queue_push(&m->egress);
}

static inline void replicate_to_session(struct machine *m, struct job *job, const struct snic_session *session)
{
    if (session->packet_length_bytes > 0)
        job->packet.base.truncate_to = session->packet_length_bytes;
    if (session->class_of_service > 0)
        program_set_priority(&job->packet, session->class_of_service);
    replicate(m, job, session->replicas.replica, session->replicas.count);
}

static inline void enqueue_unicast(struct snic_worker *w, struct machine *m, const struct packet *p, uint32_t port)
{
    struct job *job = queue_slot(w, &m->egress);
    if (job == NULL)
        return;
    job->packet = *p;
    job->packet.base.port = port;
    replicate(m, job, NULL, 1);
}

static inline void clone_from_ingress(struct snic_worker *w, struct machine *m, struct packet *p)
{
    const struct snic_session *session = snic_clone_session(w, p->base.clone_session);
    struct job *job = session == NULL ? NULL : queue_slot(w, &m->egress);
    if (job == NULL)
        return;
    struct packet *clone = &job->packet;
    packet_begin_again(clone, p);
    program_set_ingress_port(clone, p->base.port);
    program_parse(w, clone);
    if (clone->base.aborted) {
        p->base.aborted = true; /* one packet to P4: an assertion that fails in its second parsing ends it */
        return;
    }
    program_keep_metadata(clone, p, p->base.clone_fields);
    program_set_instance_type(clone, INGRESS_CLONE);
    replicate_to_session(m, job, session);
}

/* Of the packet as it is now, its headers kept, its metadata not. */
static inline void clone_from_egress(struct snic_worker *w, struct machine *m, const struct packet *p)
{
    const struct snic_session *session = snic_clone_session(w, p->base.clone_session);
    struct job *job = session == NULL ? NULL : queue_slot(w, &m->egress);
    if (job == NULL)
        return;
    packet_copy(&job->packet, p);
    program_keep_metadata(&job->packet, p, p->base.clone_fields);
    program_set_instance_type(&job->packet, EGRESS_CLONE);
    replicate_to_session(m, job, session);
}

static inline void resubmit(struct snic_worker *w, struct machine *m, const struct packet *p)
{
    struct job *job = queue_slot(w, &m->ingress);
    if (job == NULL)
        return;
    packet_begin_again(&job->packet, p);
    program_keep_metadata(&job->packet, p, p->base.resubmit);
    program_set_instance_type(&job->packet, RESUBMITTED);
    program_set_packet_length(&job->packet, p->base.bytes_length);
    queue_push(&m->ingress);
}

static inline void multicast(struct snic_worker *w, struct machine *m, const struct packet *p, uint32_t group)
{
    const struct snic_replicas *replicas = snic_multicast_group(w, group);
    struct job *job = replicas == NULL ? NULL : queue_slot(w, &m->egress);
    if (job == NULL)
        return;
    packet_copy(&job->packet, p);
    program_set_instance_type(&job->packet, REPLICATED);
    replicate(m, job, replicas->replica, replicas->count);
}

static inline void recirculate(struct snic_worker *w, struct machine *m, const struct packet *p, const uint8_t *bytes,
                               uint32_t length)
{
    struct job *job = queue_slot(w, &m->ingress);
    if (job == NULL)
        return;
    if (length > RECIRCULATED_BYTES - m->recirculated_length) {
        snic_anomaly(w, SNIC_QUEUE_FULL);
        return;
    }
    uint8_t *kept = m->recirculated + m->recirculated_length;
    m->recirculated_length += length;
    memcpy(kept, bytes, length);
    memset(&job->packet, 0, sizeof job->packet);
    packet_begin(&job->packet, kept, length, length);
    program_keep_metadata(&job->packet, p, p->base.recirculate);
    program_set_instance_type(&job->packet, RECIRCULATED);
    program_set_packet_length(&job->packet, length);
    queue_push(&m->ingress);
}

/* ---- after the pipelines ---- */

/* Everything but unicast ends here; true: the packet goes on to egress, to the port that egress_spec says. */
static inline bool after_ingress(struct snic_worker *w, struct machine *m, struct packet *p)
{
    if (p->base.clone_requested) {
        clone_from_ingress(w, m, p);
        p->base.clone_requested = false;
        if (p->base.aborted)
            return false;
    }
    if (p->base.digest)
        program_digest(w, p);
    if (p->base.resubmit) {
        resubmit(w, m, p);
        return false;
    }
    uint32_t group = program_mcast_grp(p);
    if (group != 0) {
        multicast(w, m, p, group);
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
static inline const uint8_t *join(struct machine *m, const struct packet *p, size_t room, uint32_t *length)
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
        clone_from_egress(w, m, p);
        p->base.clone_requested = false;
    }
    if (program_egress_spec(p) == SNIC_DROP_PORT)
        return;
    program_before_deparsing(w, p);
    if (p->base.aborted)
        return;
    uint32_t length;
    const uint8_t *bytes = join(m, p, 0, &length); /* what its copies refer to is not overwritten */
    if (p->base.recirculate)
        recirculate(w, m, p, bytes, length);
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
    program_parse(w, p);
    if (p->base.aborted)
        return;
    program_parsed(w, p);
    program_ingress(w, p, NULL);
    if (!p->base.aborted && after_ingress(w, m, p))
        enqueue_unicast(w, m, p, program_egress_spec(p));
}

static inline void run_egress(struct snic_worker *w, struct machine *m, struct packet *p)
{
    if (++m->egress_passes > MAX_EGRESS_PASSES) {
        snic_anomaly(w, SNIC_EGRESS_PASSES_EXCEEDED);
        return;
    }
    program_enter_egress(w, p);
    program_egress(w, p, NULL);
    if (!p->base.aborted)
        after_egress(w, m, p);
}

/* The next copy of the queue's first packet goes to `m->current`. */
static inline void take_copy(struct machine *m)
{
    struct job *job = &m->egress.jobs[m->egress.first];
    m->current = job->packet;
    if (job->replicas != NULL) {
        m->current.base.port = job->replicas[job->done].port;
        program_set_egress_rid(&m->current, job->replicas[job->done].instance);
    }
    if (++job->done == job->count)
        queue_pop(&m->egress);
}

/* Until nothing is left of the received packet. */
static __attribute__((noinline)) void drain(struct snic_worker *w, struct machine *m, uint32_t port)
{
    while (m->egress.length > 0 || m->ingress.length > 0) {
        if (m->egress.length > 0) {
            take_copy(m);
            run_egress(w, m, &m->current);
        } else {
            m->current = m->ingress.jobs[m->ingress.first].packet;
            m->current.base.port = port;
            queue_pop(&m->ingress);
            run_ingress(w, m, &m->current);
        }
    }
    m->ingress_passes = m->egress_passes = m->recirculated_length = 0;
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
             void (*advance)(struct snic_worker *, const struct parked *, uint32_t))
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

static inline bool makes_copies_in_egress(const struct packet *p)
{
    return p->base.clone_requested || p->base.recirculate;
}

/*
 * What egress left of `set`, in order of arrival. Each step is done for all packets before the next: what a packet has
 * just stored in parts, and is loaded as a whole, has arrived in the cache meanwhile.
 */
static inline void send(struct snic_worker *w, struct machine *m, const struct snic_frame *frames, packet_set set)
{
    packet_set dropped = 0;
    uint32_t i;
    EACH_PACKET(i, set) {
        struct packet *p = &m->packets[i];
        if (p->base.aborted || makes_copies_in_egress(p))
            continue;
        if (program_egress_spec(p) != SNIC_DROP_PORT)
            program_before_deparsing(w, p);
        else
            dropped |= bit(i);
    }
    EACH_PACKET(i, set & ~dropped) {
        struct packet *p = &m->packets[i];
        if (p->base.aborted)
            continue;
        if (makes_copies_in_egress(p)) {
            m->ingress_passes = m->egress_passes = 1;
            after_egress(w, m, p);
            drain(w, m, frames[i].port);
        } else {
            uint32_t length;
            size_t room = (size_t)(p->base.payload - frames[i].data) + SNIC_HEADROOM;
            const uint8_t *bytes = join(m, p, room, &length);
            snic_output(w, p->base.port, bytes, length);
        }
    }
}

static inline void run_egress_of_all(struct snic_worker *w, struct machine *m, const struct snic_frame *frames,
                                     packet_set set)
{
    uint32_t i;
    EACH_PACKET(i, set) {
        struct packet *p = &m->packets[i];
        p->base.port = program_egress_spec(p);
        program_enter_egress(w, p);
    }
    run_pipeline(w, m, set, EGRESS_STAGES, program_egress, program_egress_advance);
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
        packet_begin(p, frames[i].data, frames[i].length, frames[i].length);
        p->base.port = frames[i].port;
        program_received(w, p);
        program_parse(w, p);
        if (!p->base.aborted)
            received |= bit(i);
    }
    EACH_PACKET(i, received)
        program_parsed(w, &m->packets[i]);
    return received;
}

static void machine_run(struct snic_worker *w, struct snic_frame *frames, uint32_t count)
{
    struct machine *m = w->scratch;
    uint32_t i;
    packet_set unicast = 0;
    packet_set received = receive(w, m, frames, count);
    run_pipeline(w, m, received, INGRESS_STAGES, program_ingress, program_ingress_advance);
    EACH_PACKET(i, received) {
        struct packet *p = &m->packets[i];
        if (p->base.aborted)
            continue;
        bool copies = p->base.clone_requested || p->base.resubmit || program_mcast_grp(p) != 0;
        if (!copies) {
            if (after_ingress(w, m, p))
                unicast |= bit(i);
            continue;
        }
        run_egress_of_all(w, m, frames, unicast);
        unicast = 0;
        m->ingress_passes = 1;
        if (after_ingress(w, m, p))
            enqueue_unicast(w, m, p, program_egress_spec(p));
        drain(w, m, frames[i].port);
    }
    run_egress_of_all(w, m, frames, unicast);
    for (i = 0; i < count; i++)
        program_clear(&m->packets[i]);
}

#endif
