/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "snic_dataplane.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "snic_eth.h"
#include "snic_forwarder.h"

#define RING_BYTES (4u << 20)

/* ---- life ---- */

struct snic_dataplane *snic_dataplane_open(uint32_t workers)
{
    size_t bytes = sizeof(struct snic_dataplane) + workers * sizeof(struct snic_forwarder);
    struct snic_dataplane *dataplane = aligned_alloc(64, (bytes + 63) / 64 * 64);

    if (!dataplane)
        return NULL;
    memset(dataplane, 0, bytes);
    memset(dataplane->position, -1, sizeof dataplane->position);
    dataplane->n_forwarders = workers;
    dataplane->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    dataplane->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    bool whole = dataplane->event >= 0 && dataplane->wake >= 0;
    for (uint32_t i = 0; i < workers; i++) {
        dataplane->forwarders[i].number = i;
        dataplane->forwarders[i].dataplane = dataplane;
        whole &= snic_ring_open(&dataplane->forwarders[i].ring, RING_BYTES);
    }
    if (!whole) {
        snic_dataplane_close(dataplane);
        return NULL;
    }
    return dataplane;
}

void snic_dataplane_stop(struct snic_dataplane *dataplane)
{
    atomic_store(&dataplane->stopping, true);
    eventfd_write(dataplane->wake, 1);
    for (uint32_t i = 0; i < dataplane->n_forwarders; i++)
        if (dataplane->forwarders[i].started) {
            pthread_join(dataplane->forwarders[i].id, NULL);
            dataplane->forwarders[i].started = false;
        }
}

static void close_links(struct snic_dataplane *dataplane, uint32_t at)
{
    for (uint32_t i = 0; i < dataplane->n_forwarders; i++) {
        struct snic_link *link = dataplane->forwarders[i].links[at];
        if (link)
            link->kind->close(link);
        dataplane->forwarders[i].links[at] = NULL;
    }
    if (dataplane->ports[at].hooked)
        snic_xdp_hook_close(&dataplane->ports[at].hook);
    dataplane->ports[at].hooked = false;
    snic_sender_close(dataplane->ports[at].sender);
    dataplane->ports[at].sender = NULL;
}

void snic_dataplane_close(struct snic_dataplane *dataplane)
{
    snic_dataplane_stop(dataplane);
    for (uint32_t at = 0; at < dataplane->n_ports; at++)
        close_links(dataplane, at);
    for (uint32_t i = 0; i < dataplane->n_forwarders; i++)
        snic_ring_close(&dataplane->forwarders[i].ring);
    free(atomic_load(&dataplane->attached));
    if (dataplane->event >= 0)
        close(dataplane->event);
    if (dataplane->wake >= 0)
        close(dataplane->wake);
    free(dataplane);
}

static int open_eth(struct snic_dataplane *dataplane, uint32_t at, const struct snic_interface *interface)
{
    uint16_t number = 0, *group = dataplane->n_forwarders > 1 ? &number : NULL;
    int error = 0;

    for (uint32_t i = 0; i < dataplane->n_forwarders && !error; i++)
        error = snic_eth_open(interface, group, &dataplane->forwarders[i].links[at]);
    return error;
}

/* A queue for each worker. */
static int open_xdp(struct snic_dataplane *dataplane, uint32_t at, const struct snic_interface *interface)
{
    struct snic_port *port = &dataplane->ports[at];
    int error = interface->receive_queues == dataplane->n_forwarders ? 0 : -ECHRNG;

    if (!error && !(error = snic_xdp_hook_open(interface, &port->hook)))
        port->hooked = true;
    for (uint32_t i = 0; i < dataplane->n_forwarders && !error; i++)
        error = snic_xdp_open(interface, &port->hook, i, &dataplane->forwarders[i].links[at]);
    return error;
}

static int add_port(struct snic_dataplane *dataplane, uint32_t number, const char *name,
                    int (*open)(struct snic_dataplane *, uint32_t, const struct snic_interface *))
{
    uint32_t at = dataplane->n_ports;
    struct snic_port *port = &dataplane->ports[at];
    struct snic_interface interface;
    int error = 0;

    if (dataplane->position[number] >= 0)
        return -EEXIST;
    if ((error = snic_interface_find(name, &interface)))
        return error;
    if ((error = snic_sender_open(&interface, &port->counts, &port->sender)) ||
        (error = open(dataplane, at, &interface))) {
        close_links(dataplane, at);
        return error;
    }
    port->number = number;
    atomic_init(&port->admin_up, true);
    dataplane->position[number] = (int16_t)at;
    dataplane->n_ports++;
    return 0;
}

int snic_dataplane_add_eth(struct snic_dataplane *dataplane, uint32_t port, const char *interface)
{
    return add_port(dataplane, port, interface, open_eth);
}

int snic_dataplane_add_xdp(struct snic_dataplane *dataplane, uint32_t port, const char *interface)
{
    return add_port(dataplane, port, interface, open_xdp);
}

int snic_dataplane_start(struct snic_dataplane *dataplane)
{
    for (uint32_t i = 0; i < dataplane->n_forwarders; i++) {
        struct snic_forwarder *forwarder = &dataplane->forwarders[i];
        char name[24];
        int error = pthread_create(&forwarder->id, NULL, snic_forward, forwarder);
        if (error)
            return -error;
        forwarder->started = true;
        snprintf(name, sizeof name, "softnic-w%u", i + 1);
        pthread_setname_np(forwarder->id, name);
    }
    return 0;
}

/* ---- engines ---- */

static struct snic_attachment *attach(struct snic_dataplane *dataplane, struct snic_engine *engine, uint32_t number)
{
    struct snic_attachment *attached = calloc(1, sizeof *attached);

    if (!attached)
        return NULL;
    attached->engine = engine;
    attached->number = number;
    for (uint32_t i = 0; i < dataplane->n_forwarders; i++) {
        struct snic_worker *worker = snic_worker(engine, i + 1);
        if (!worker) {
            free(attached);
            return NULL;
        }
        worker->sink = snic_forwarder_sink(&dataplane->forwarders[i]);
        attached->workers[i] = worker;
    }
    return attached;
}

static void wait_until_left(struct snic_forwarder *forwarder)
{
    uint64_t seen = atomic_load(&forwarder->visits);

    while (seen % 2 && atomic_load(&forwarder->visits) == seen)
        sched_yield();
}

int snic_dataplane_set_engine(struct snic_dataplane *dataplane, struct snic_engine *engine, uint32_t number)
{
    struct snic_attachment *attached = NULL;

    if (engine && !(attached = attach(dataplane, engine, number)))
        return SNIC_NO_MEMORY;
    struct snic_attachment *before = atomic_exchange(&dataplane->attached, attached);
    for (uint32_t i = 0; i < dataplane->n_forwarders; i++)
        wait_until_left(&dataplane->forwarders[i]);
    free(before);
    return SNIC_OK;
}

/* ---- control ---- */

static struct snic_port *port_of(struct snic_dataplane *dataplane, uint32_t number)
{
    int16_t at = number <= SNIC_DROP_PORT ? dataplane->position[number] : -1;

    return at < 0 ? NULL : &dataplane->ports[at];
}

bool snic_dataplane_send(struct snic_dataplane *dataplane, uint32_t number, const uint8_t *data, uint32_t length)
{
    struct snic_port *port = port_of(dataplane, number);

    if (!port)
        return false;
    if (!atomic_load(&port->admin_up)) {
        snic_add(&port->counts.tx_dropped, 1);
        return false;
    }
    snic_sender_put(port->sender, data, length);
    snic_sender_flush(port->sender);
    return true;
}

void snic_dataplane_set_admin(struct snic_dataplane *dataplane, uint32_t number, bool up)
{
    struct snic_port *port = port_of(dataplane, number);

    if (port)
        atomic_store(&port->admin_up, up);
}

int snic_dataplane_event_fd(const struct snic_dataplane *dataplane)
{
    return dataplane->event;
}

uint32_t snic_dataplane_take(struct snic_dataplane *dataplane, uint32_t worker, uint8_t *out, uint32_t room)
{
    return snic_ring_take(&dataplane->forwarders[worker].ring, out, room);
}

void snic_dataplane_stats(const struct snic_dataplane *dataplane, struct snic_dataplane_stats *stats)
{
    *stats = (struct snic_dataplane_stats){0};
    for (uint32_t i = 0; i < dataplane->n_forwarders; i++) {
        const struct snic_forwarder *forwarder = &dataplane->forwarders[i];
        stats->frames_lost += atomic_load(&forwarder->frames_lost);
        stats->outputs_lost += atomic_load(&forwarder->outputs_lost);
        stats->digests_lost += atomic_load(&forwarder->digests_lost);
        stats->logs_lost += atomic_load(&forwarder->logs_lost);
    }
}

bool snic_dataplane_port_stats(struct snic_dataplane *dataplane, uint32_t number, struct snic_port_stats *stats)
{
    struct snic_port *port = port_of(dataplane, number);

    if (!port)
        return false;
    *stats = (struct snic_port_stats){0};
    snic_link_sum(NULL, &port->counts, stats);
    for (uint32_t i = 0; i < dataplane->n_forwarders; i++) {
        struct snic_link *link = dataplane->forwarders[i].links[port - dataplane->ports];
        snic_link_sum(link, &link->counts, stats);
    }
    return true;
}
