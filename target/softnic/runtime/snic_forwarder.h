/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dataplane from within: its ports, and the threads that forward between them. Of use to snic_dataplane.c alone.
 *
 * Threads: a forwarder is its thread's, but for what is atomic; of a port and of the dataplane the control thread
 * changes only what is atomic once the threads run.
 */
#ifndef SNIC_FORWARDER_H
#define SNIC_FORWARDER_H

#include <pthread.h>

#include "snic_dataplane.h"
#include "snic_ring.h"
#include "snic_sender.h"
#include "snic_xdp.h"

#define SNIC_MAX_PORTS 511u

/* An engine with the workers that this dataplane's threads use. */
struct snic_attachment {
    struct snic_engine *engine;
    uint32_t number;
    struct snic_worker *workers[SNIC_MAX_WORKERS];
};

struct snic_port {
    uint32_t number;
    _Atomic bool admin_up;
    bool hooked; /* `hook` is open */
    struct snic_xdp_hook hook;
    struct snic_sender *sender; /* the control thread's, as are its counts */
    struct snic_link_counts counts;
};

struct snic_forwarder {
    pthread_t id;
    bool started;
    uint32_t number;
    struct snic_dataplane *dataplane;
    struct snic_ring ring;
    bool told;                               /* something was put into the ring in this burst */
    uint32_t unsent;                         /* frames that wait for their links to send them */
    const struct snic_attachment *inside;    /* what the frames of this burst go through */
    uint32_t announced;                      /* number of the engine that the ring's last records come from */
    struct snic_link *links[SNIC_MAX_PORTS]; /* by position in `ports` */
    _Alignas(64) _Atomic uint64_t visits;    /* odd while inside an engine */
    _Atomic uint64_t frames_lost, outputs_lost, digests_lost, logs_lost;
};

struct snic_dataplane {
    _Atomic(struct snic_attachment *) attached;
    _Atomic bool stopping;
    int event, wake; /* event: records are there; wake: stop */
    uint32_t n_ports, n_forwarders;
    struct snic_port ports[SNIC_MAX_PORTS];
    int16_t position[SNIC_DROP_PORT + 1]; /* of a port number in `ports`; -1: not here */
    struct snic_forwarder forwarders[];
};

/* A thread's body: receives and forwards until the dataplane is `stopping`. */
void *snic_forward(void *forwarder);

/* Where an engine's worker leaves its results when it runs in `forwarder`. */
struct snic_sink snic_forwarder_sink(struct snic_forwarder *forwarder);

#endif
