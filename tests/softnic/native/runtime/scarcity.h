/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out when a test wants it to: the runtime's allocators, put in front of by the linker's --wrap.
 *
 * Threads: one.
 */
#ifndef SCARCITY_H
#define SCARCITY_H

#include <stdint.h>

/* How many allocations succeed before all fail. */
extern uint64_t allocations_left;
/* Called whenever one fails; NULL: nothing is. */
extern void (*on_failure)(void);

#endif
