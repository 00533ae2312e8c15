/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames out of a Linux interface, in batches, by an AF_PACKET socket that goes past the queueing discipline.
 *
 * Threads: a sender belongs to one. Frames that can't be sent (queue full, longer than the MTU, interface down) are
 * counted and gone.
 */
#ifndef SNIC_SENDER_H
#define SNIC_SENDER_H

#include "snic_link.h"

struct snic_sender;

/* Counts what it sends and loses in `counts`. 0 or a negative errno, with `*sender` unset. */
int snic_sender_open(const struct snic_interface *interface, struct snic_link_counts *counts,
                     struct snic_sender **sender);
void snic_sender_close(struct snic_sender *sender); /* NULL: nothing */

void snic_sender_put(struct snic_sender *sender, const uint8_t *data, uint32_t length);
void snic_sender_flush(struct snic_sender *sender);

#endif
