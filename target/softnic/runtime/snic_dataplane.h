/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that carry frames between Linux interfaces through an engine.
 *
 * Threads: everything here is called by one control thread, except snic_dataplane_take, which another may call (one
 * for each worker), and statistics and snic_dataplane_set_admin, which any may. Ports are added before
 * snic_dataplane_start. Worker `i` of the dataplane uses worker `i + 1` of the engine: number 0 is whoever calls
 * snic_process.
 *
 * Nothing blocks a worker: a frame that can't be sent (snic_sender.h, snic_xdp.h) and a record that finds no room are
 * counted and gone. What the program sends to a port that is not here, digests and log lines become records that
 * snic_dataplane_take hands out, as do frames that come while there is no engine; the event descriptor is readable
 * while there may be some.
 *
 * An interface that goes down is waited for; one that vanishes brings nothing any more. Either is for others to tell.
 */
#ifndef SNIC_DATAPLANE_H
#define SNIC_DATAPLANE_H

#include "snic_engine.h"
#include "snic_link.h"

struct snic_dataplane;

/* `workers`: 1 to SNIC_MAX_WORKERS - 1. NULL without memory. */
struct snic_dataplane *snic_dataplane_open(uint32_t workers);
/* Ends the threads; what they took in is on its way then, or a record. */
void snic_dataplane_stop(struct snic_dataplane *dataplane);
/* Stops, and frees; engines remain the caller's. */
void snic_dataplane_close(struct snic_dataplane *dataplane);

/*
 * Adds a port by AF_PACKET (snic_eth.h) or by AF_XDP (snic_xdp.h). 0 or a negative errno. -EEXIST: the number is taken;
 * -ENODEV: no such interface; -EPERM: privileges; -EMEDIUMTYPE: its frames have no Ethernet header. XDP alone: -ECHRNG,
 * other than one receive queue for each worker; -EBUSY, another XDP program or socket; and what snic_xdp_open returns.
 */
int snic_dataplane_add_eth(struct snic_dataplane *dataplane, uint32_t port, const char *interface);
int snic_dataplane_add_xdp(struct snic_dataplane *dataplane, uint32_t port, const char *interface);
int snic_dataplane_start(struct snic_dataplane *dataplane);

/*
 * Lets frames go through `engine`, or, when it is NULL, become records. When it returns, no worker is in the old engine
 * any more. `number` tells the records of one engine from those of the next. SNIC_NO_MEMORY: the engine's workers could
 * not be made; the old engine stays.
 */
int snic_dataplane_set_engine(struct snic_dataplane *dataplane, struct snic_engine *engine, uint32_t number);

/* Sends from the control thread. False: no such port, or the port is down. */
bool snic_dataplane_send(struct snic_dataplane *dataplane, uint32_t port, const uint8_t *data, uint32_t length);

/* Frames of a port that is administratively down are dropped and counted, in both directions. */
void snic_dataplane_set_admin(struct snic_dataplane *dataplane, uint32_t port, bool up);

int snic_dataplane_event_fd(const struct snic_dataplane *dataplane);
/* See snic_ring_take. */
uint32_t snic_dataplane_take(struct snic_dataplane *dataplane, uint32_t worker, uint8_t *out, uint32_t room);

struct snic_dataplane_stats {
    uint64_t frames_lost, outputs_lost, digests_lost, logs_lost; /* records that found no room */
};

void snic_dataplane_stats(const struct snic_dataplane *dataplane, struct snic_dataplane_stats *stats);
bool snic_dataplane_port_stats(struct snic_dataplane *dataplane, uint32_t port, struct snic_port_stats *stats);

#endif
