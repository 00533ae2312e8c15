/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a packet becomes when it becomes more packets: clones, replicas, and packets that enter a pipeline again. Each
 * waits in a queue in front of its pipeline, for snic_machine.h to run it.
 *
 * Part of a compiled program, as snic_machine.h is, which includes this. Threads: as there. Replicas are the engine's,
 * which keeps them until the program's `run` returns.
 */
#ifndef SNIC_COPIES_H
#define SNIC_COPIES_H

#include "snic_packet_api.h"

enum { NORMAL = 0, INGRESS_CLONE = 1, EGRESS_CLONE = 2, RECIRCULATED = 4, REPLICATED = 5, RESUBMITTED = 6 };

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

/* All that one received packet has become and that is not done yet. */
struct copies {
    struct queue ingress;
    struct queue egress;
    uint32_t recirculated_length;
    uint8_t recirculated[RECIRCULATED_BYTES]; /* bytes of recirculated packets, until the received one is done */
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
SNIC_FOLDED void packet_begin(struct packet *p, const uint8_t *bytes, uint32_t length, uint32_t received_length)
{
    p->base.bytes = bytes;
    p->base.bytes_length = length;
    p->base.length = length;
    p->base.received_length = received_length;
    p->base.truncate_to = SNIC_NOT_TRUNCATED;
}

SNIC_FOLDED uint32_t truncated(const struct packet *p, uint32_t length)
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

/* Compiled once, not wherever it is called. */
static __attribute__((noinline)) void parse(struct snic_worker *w, struct packet *p)
{
    program_parse(w, p);
}

/* ---- replication ---- */

static inline void replicate(struct copies *copies, struct job *job, const struct snic_replica *replicas,
                             uint32_t count)
{
    job->replicas = replicas;
    job->count = count;
    job->done = 0;
    if (count > 0)
        queue_push(&copies->egress);
}

static inline void replicate_to_session(struct copies *copies, struct job *job, const struct snic_session *session)
{
    if (session->packet_length_bytes > 0)
        job->packet.base.truncate_to = session->packet_length_bytes;
    if (session->class_of_service > 0)
        program_set_priority(&job->packet, session->class_of_service);
    replicate(copies, job, session->replicas.replica, session->replicas.count);
}

static inline void enqueue_unicast(struct snic_worker *w, struct copies *copies, const struct packet *p, uint32_t port)
{
    struct job *job = queue_slot(w, &copies->egress);
    if (job == NULL)
        return;
    job->packet = *p;
    job->packet.base.port = port;
    replicate(copies, job, NULL, 1);
}

static inline void clone_from_ingress(struct snic_worker *w, struct copies *copies, struct packet *p)
{
    const struct snic_session *session = snic_clone_session(w, p->base.clone_session);
    struct job *job = session == NULL ? NULL : queue_slot(w, &copies->egress);
    if (job == NULL)
        return;
    struct packet *clone = &job->packet;
    packet_begin_again(clone, p);
    program_set_ingress_port(clone, p->base.port);
    parse(w, clone);
    if (clone->base.aborted) {
        p->base.aborted = true; /* one packet to P4: an assertion that fails in its second parsing ends it */
        return;
    }
    program_keep_metadata(clone, p, p->base.clone_fields);
    program_set_instance_type(clone, INGRESS_CLONE);
    replicate_to_session(copies, job, session);
}

/* Of the packet as it is now, its headers kept, its metadata not. */
static inline void clone_from_egress(struct snic_worker *w, struct copies *copies, const struct packet *p)
{
    const struct snic_session *session = snic_clone_session(w, p->base.clone_session);
    struct job *job = session == NULL ? NULL : queue_slot(w, &copies->egress);
    if (job == NULL)
        return;
    packet_copy(&job->packet, p);
    program_keep_metadata(&job->packet, p, p->base.clone_fields);
    program_set_instance_type(&job->packet, EGRESS_CLONE);
    replicate_to_session(copies, job, session);
}

static inline void resubmit(struct snic_worker *w, struct copies *copies, const struct packet *p)
{
    struct job *job = queue_slot(w, &copies->ingress);
    if (job == NULL)
        return;
    packet_begin_again(&job->packet, p);
    program_keep_metadata(&job->packet, p, p->base.resubmit);
    program_set_instance_type(&job->packet, RESUBMITTED);
    program_set_packet_length(&job->packet, p->base.bytes_length);
    queue_push(&copies->ingress);
}

static inline void multicast(struct snic_worker *w, struct copies *copies, const struct packet *p, uint32_t group)
{
    const struct snic_replicas *replicas = snic_multicast_group(w, group);
    struct job *job = replicas == NULL ? NULL : queue_slot(w, &copies->egress);
    if (job == NULL)
        return;
    packet_copy(&job->packet, p);
    program_set_instance_type(&job->packet, REPLICATED);
    replicate(copies, job, replicas->replica, replicas->count);
}

static inline void recirculate(struct snic_worker *w, struct copies *copies, const struct packet *p,
                               const uint8_t *bytes, uint32_t length)
{
    struct job *job = queue_slot(w, &copies->ingress);
    if (job == NULL)
        return;
    if (length > RECIRCULATED_BYTES - copies->recirculated_length) {
        snic_anomaly(w, SNIC_QUEUE_FULL);
        return;
    }
    uint8_t *kept = copies->recirculated + copies->recirculated_length;
    copies->recirculated_length += length;
    memcpy(kept, bytes, length);
    memset(&job->packet, 0, sizeof job->packet);
    packet_begin(&job->packet, kept, length, length);
    program_keep_metadata(&job->packet, p, p->base.recirculate);
    program_set_instance_type(&job->packet, RECIRCULATED);
    program_set_packet_length(&job->packet, length);
    queue_push(&copies->ingress);
}

#endif
