/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How packets and results cross between C and its caller in another language: a string of records, one behind the other
 * without padding, each a struct snic_record and then `length` bytes.
 */
#ifndef SNIC_RECORD_H
#define SNIC_RECORD_H

#include <stdint.h>

enum snic_record_kind {
    SNIC_RECORD_PACKET, /* that came in on, or goes out of, port `number` */
    SNIC_RECORD_DIGEST,
    SNIC_RECORD_LOG,
    SNIC_RECORD_FRAME,  /* that came in on port `number` while no engine was there to take it */
    SNIC_RECORD_ENGINE, /* what follows comes from engine `number`, in the order of snic_dataplane_set_engine */
};

struct snic_record {
    uint32_t kind;   /* enum snic_record_kind */
    uint32_t number; /* of the packet's port, or of the digest in the program */
    uint32_t length; /* of a digest: its values; of a log line: its text */
};

#endif
