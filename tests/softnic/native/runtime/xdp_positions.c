/* SPDX-License-Identifier: Apache-2.0 */
/* An AF_XDP port's counts of sent frames, where positions in the kernel's ring wrap. It has a ring, but no kernel. */
#undef NDEBUG
#include <assert.h>

#include "snic_xdp.c"

enum { FRAMES = 4, FRAME_BYTES = 100 };

/* The kernel has taken all of FRAMES frames, the last of which ends at `end`. */
static void count_until(uint32_t end, bool last_was_dropped)
{
    static struct xdp xdp;
    struct xdp_desc descriptors[FRAMES];
    _Atomic uint32_t consumer = end;
    uint32_t sent = FRAMES - last_was_dropped;

    for (uint32_t i = 0; i < FRAMES; i++)
        descriptors[i] = (struct xdp_desc){.len = FRAME_BYTES};
    memset(&xdp, 0, sizeof xdp);
    xdp.tx = (struct ring){.consumer = &consumer, .entries = descriptors, .mask = FRAMES - 1, .head = end};
    xdp.counted = end - FRAMES;
    assert(count_taken(&xdp, last_was_dropped) == 0);
    assert(xdp.counted == end);
    assert(xdp.link.counts.tx_packets == sent && xdp.link.counts.tx_bytes == sent * FRAME_BYTES);
    assert(xdp.link.counts.tx_dropped == last_was_dropped);
}

int main(void)
{
    for (uint32_t end = UINT32_MAX - FRAMES; end != 2 * FRAMES; end++) {
        count_until(end, false);
        count_until(end, true);
    }
    return 0;
}
