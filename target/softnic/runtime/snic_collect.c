/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_collect.h"

#include <stdlib.h>
#include <string.h>

#define FRAMES_AT_ONCE 64u
#define FIRST_ROOM 4096u

static bool make_room(struct snic_collector *collector, size_t bytes)
{
    size_t room = collector->room ? collector->room : FIRST_ROOM;
    if (bytes > collector->limit - collector->used)
        return false;
    while (room - collector->used < bytes)
        room *= 2;
    if (room == collector->room)
        return true;
    uint8_t *data = realloc(collector->data, room);
    if (!data)
        return false;
    collector->data = data;
    collector->room = room;
    return true;
}

static bool append(struct snic_collector *collector, struct snic_record record, const void *bytes)
{
    if (!make_room(collector, sizeof record + record.length))
        return false;
    memcpy(collector->data + collector->used, &record, sizeof record);
    memcpy(collector->data + collector->used + sizeof record, bytes, record.length);
    collector->used += sizeof record + record.length;
    return true;
}

static bool keep_output(void *context, uint32_t port, const uint8_t *data, uint32_t length)
{
    return append(context, (struct snic_record){SNIC_RECORD_PACKET, port, length}, data);
}

static bool keep_digest(void *context, uint32_t digest, const uint8_t *values)
{
    struct snic_collector *collector = context;
    const struct snic_program *program = snic_engine_program(collector->worker->engine);
    return append(collector, (struct snic_record){SNIC_RECORD_DIGEST, digest, program->digests[digest].bytes}, values);
}

static bool keep_log(void *context, const char *text)
{
    return append(context, (struct snic_record){SNIC_RECORD_LOG, 0, (uint32_t)strlen(text)}, text);
}

struct snic_collector *snic_collector_new(struct snic_worker *worker, size_t limit)
{
    struct snic_collector *collector = calloc(1, sizeof *collector);
    if (!collector)
        return NULL;
    collector->limit = limit;
    collector->worker = worker;
    worker->sink = (struct snic_sink){collector, keep_output, keep_digest, keep_log};
    return collector;
}

void snic_collector_free(struct snic_collector *collector)
{
    free(collector->data);
    free(collector);
}

/* The frame of the record at `packet`, which is not copied; returns where the next record begins. */
static const uint8_t *take_frame(const uint8_t *packet, struct snic_frame *frame)
{
    struct snic_record record;
    memcpy(&record, packet, sizeof record);
    packet += sizeof record;
    *frame = (struct snic_frame){.data = (uint8_t *)packet, .length = record.length, .port = record.number};
    return packet + record.length;
}

int snic_collect(struct snic_collector *collector, const uint8_t *packets, size_t bytes)
{
    const uint8_t *end = packets + bytes;
    struct snic_frame frames[FRAMES_AT_ONCE];
    collector->used = 0;
    while (packets < end) {
        uint32_t count = 0;
        while (packets < end && count < FRAMES_AT_ONCE)
            packets = take_frame(packets, &frames[count++]);
        int error = snic_process(collector->worker, frames, count);
        if (error)
            return error;
    }
    return 0;
}
