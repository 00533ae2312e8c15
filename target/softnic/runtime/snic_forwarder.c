/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "snic_forwarder.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#define BURST 64u
/* How long an idle thread keeps looking before it sleeps: about the time it takes to be woken. */
#define SPIN_NS 50000u
/* How soon frames that the kernel did not take are sent again, if nothing else is to be done. */
#define RETRY_MS 10

/* ---- the sink of a worker ---- */

/* A digest means something only to who knows its program. */
static bool announce(struct snic_forwarder *forwarder)
{
    if (!forwarder->inside || forwarder->announced == forwarder->inside->number)
        return true;
    if (!snic_ring_put(&forwarder->ring, SNIC_RECORD_ENGINE, forwarder->inside->number, "", 0))
        return false;
    forwarder->announced = forwarder->inside->number;
    return true;
}

static bool put(struct snic_forwarder *forwarder, enum snic_record_kind kind, uint32_t number, const void *data,
                uint32_t length, _Atomic uint64_t *lost)
{
    if (!announce(forwarder) || !snic_ring_put(&forwarder->ring, kind, number, data, length)) {
        snic_add(lost, 1);
        return false;
    }
    forwarder->told = true;
    return true;
}

static bool output(void *context, uint32_t number, const uint8_t *data, uint32_t length)
{
    struct snic_forwarder *forwarder = context;
    int16_t at = number <= SNIC_DROP_PORT ? forwarder->dataplane->position[number] : -1;

    if (at < 0)
        return put(forwarder, SNIC_RECORD_PACKET, number, data, length, &forwarder->outputs_lost);
    struct snic_link *link = forwarder->links[at];
    if (atomic_load_explicit(&forwarder->dataplane->ports[at].admin_up, memory_order_relaxed))
        link->kind->send(link, data, length);
    else
        snic_add(&link->counts.tx_dropped, 1);
    return true;
}

static bool digest(void *context, uint32_t number, const uint8_t *values)
{
    struct snic_forwarder *forwarder = context;
    const struct snic_program *program = snic_engine_program(forwarder->inside->engine);

    return put(forwarder, SNIC_RECORD_DIGEST, number, values, program->digests[number].bytes, &forwarder->digests_lost);
}

static bool log_line(void *context, const char *text)
{
    struct snic_forwarder *forwarder = context;

    return put(forwarder, SNIC_RECORD_LOG, 0, text, (uint32_t)strlen(text), &forwarder->logs_lost);
}

struct snic_sink snic_forwarder_sink(struct snic_forwarder *forwarder)
{
    return (struct snic_sink){.context = forwarder, .output = output, .digest = digest, .log = log_line};
}

/* ---- the thread ---- */

static void divert(struct snic_forwarder *forwarder, const struct snic_frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        put(forwarder, SNIC_RECORD_FRAME, frames[i].port, frames[i].data, frames[i].length, &forwarder->frames_lost);
}

static void run(struct snic_forwarder *forwarder, struct snic_frame *frames, uint32_t count)
{
    /* Sequentially consistent: whoever swaps the engine sees either this visit or the end of it. */
    atomic_fetch_add(&forwarder->visits, 1);
    forwarder->inside = atomic_load(&forwarder->dataplane->attached);
    if (forwarder->inside)
        snic_run(forwarder->inside->workers[forwarder->number], frames, count);
    else
        divert(forwarder, frames, count);
    atomic_fetch_add(&forwarder->visits, 1);
}

static uint32_t serve(struct snic_forwarder *forwarder, struct snic_port *port, struct snic_link *link)
{
    struct snic_frame frames[BURST];
    uint32_t count = link->kind->receive(link, port->number, frames, BURST);

    if (!atomic_load_explicit(&port->admin_up, memory_order_relaxed)) {
        snic_link_refuse(link, count);
    } else if (count) {
        snic_link_accept(link, frames, count);
        run(forwarder, frames, count);
    }
    link->kind->release(link);
    return count;
}

/* Returns how many frames wait for the next time. */
static uint32_t flush_ports(struct snic_forwarder *forwarder)
{
    uint32_t unsent = 0;

    for (uint32_t at = 0; at < forwarder->dataplane->n_ports; at++)
        unsent += forwarder->links[at]->kind->flush(forwarder->links[at]);
    return unsent;
}

/* At the end, nothing waits any more: what still does is lost. */
static void give_up_unsent(struct snic_forwarder *forwarder)
{
    for (uint32_t at = 0; at < forwarder->dataplane->n_ports; at++) {
        struct snic_link *link = forwarder->links[at];
        snic_add(&link->counts.tx_dropped, link->kind->flush(link));
    }
}

static uint32_t serve_ports(struct snic_forwarder *forwarder)
{
    struct snic_dataplane *dataplane = forwarder->dataplane;
    uint32_t served = 0;

    for (uint32_t at = 0; at < dataplane->n_ports; at++)
        served += serve(forwarder, &dataplane->ports[at], forwarder->links[at]);
    if (served || forwarder->unsent)
        forwarder->unsent = flush_ports(forwarder);
    return served;
}

static void tell(struct snic_forwarder *forwarder)
{
    if (forwarder->told)
        eventfd_write(forwarder->dataplane->event, 1);
    forwarder->told = false;
}

/* An interface that went down is told of once, as an error that has to be read for poll() to wait again. */
static void read_error(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
}

static void wait_for_frames(struct snic_forwarder *forwarder, struct pollfd *descriptors)
{
    uint32_t count = forwarder->dataplane->n_ports;

    poll(descriptors, count + 1, forwarder->unsent ? RETRY_MS : -1);
    for (uint32_t at = 0; at < count; at++)
        if (descriptors[at].revents & POLLERR)
            read_error(descriptors[at].fd);
}

static uint64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void *snic_forward(void *argument)
{
    struct snic_forwarder *forwarder = argument;
    struct snic_dataplane *dataplane = forwarder->dataplane;
    struct pollfd descriptors[SNIC_MAX_PORTS + 1];
    uint64_t idle_since_ns = 0;

    for (uint32_t at = 0; at < dataplane->n_ports; at++)
        descriptors[at] = (struct pollfd){.fd = forwarder->links[at]->fd, .events = POLLIN};
    descriptors[dataplane->n_ports] = (struct pollfd){.fd = dataplane->wake, .events = POLLIN};
    while (!atomic_load_explicit(&dataplane->stopping, memory_order_relaxed)) {
        if (serve_ports(forwarder)) {
            tell(forwarder);
            idle_since_ns = 0;
        } else if (!idle_since_ns) {
            idle_since_ns = monotonic_ns();
        } else if (monotonic_ns() - idle_since_ns > SPIN_NS) {
            wait_for_frames(forwarder, descriptors);
            idle_since_ns = 0;
        }
    }
    give_up_unsent(forwarder);
    return NULL;
}
