/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Action profiles and selectors: members, groups, and who uses them.
 *
 * Entries point to members and groups, which stay where they are; a member points to its call, a group to what its
 * hash picks from. These are replaced whole, by one pointer. `uses` counts the entries, defaults and groups that
 * refer to a member or group: what is used can't be deleted.
 *
 * Threads: one writer; readers are lock-free, inside an epoch.
 */
#ifndef SNIC_PROFILE_H
#define SNIC_PROFILE_H

#include "snic_cell.h"
#include "snic_map.h"

struct snic_member {
    uint32_t id;
    uint32_t uses;
    _Atomic(struct snic_call *) call;
};

/* What a group's hash picks from: slot hash % count. */
struct snic_choice {
    uint64_t count;
    struct snic_member *slots[];
};

struct snic_group {
    uint32_t id;
    uint32_t uses;
    uint32_t count;
    struct snic_group_member *members; /* as they were given */
    _Atomic(struct snic_choice *) choice;
};

struct snic_profile {
    const struct snic_profile_desc *desc;
    struct snic_epoch *epoch;
    struct snic_map members, groups, ports_down;
    bool resilient;
};

int snic_profile_init(struct snic_profile *profile, const struct snic_profile_desc *desc, struct snic_epoch *epoch);
void snic_profile_destroy(struct snic_profile *profile);

/* The control plane's calls of snic_engine.h, for one profile. */
int snic_profile_insert_member(struct snic_profile *profile, uint32_t id, uint32_t action, const uint8_t *args);
int snic_profile_modify_member(struct snic_profile *profile, uint32_t id, uint32_t action, const uint8_t *args);
int snic_profile_delete_member(struct snic_profile *profile, uint32_t id);
int snic_profile_insert_group(struct snic_profile *profile, uint32_t id, const struct snic_group_member *members,
                              uint32_t count);
int snic_profile_modify_group(struct snic_profile *profile, uint32_t id, const struct snic_group_member *members,
                              uint32_t count);
int snic_profile_delete_group(struct snic_profile *profile, uint32_t id);
/* A group for which memory is short keeps its choice. */
void snic_profile_set_port_up(struct snic_profile *profile, uint32_t port, bool up);
void snic_profile_set_resilient(struct snic_profile *profile, bool resilient);

#endif
