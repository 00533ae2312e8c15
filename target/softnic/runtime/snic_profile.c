/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_profile.h"

#include <stdlib.h>

/*
 * Slots of a resilient group: the slots of a member that is lost go to the others, and no other slot changes. A
 * member's share is exact to about sqrt(members / slots).
 */
#define RESILIENT_SLOTS 4096u

/* ---- members ---------------------------------------------------------------------------------------------------- */

static struct snic_call *new_call(const struct snic_profile *profile, uint32_t action, const uint8_t *args)
{
    size_t bytes = profile->desc->actions[action].args_bytes;
    struct snic_call *call = calloc(1, sizeof *call + bytes);

    if (call) {
        *call = (struct snic_call){.action = (uint16_t)action, .kind = SNIC_TARGET_ACTION};
        if (bytes)
            memcpy(call->args, args, bytes);
    }
    return call;
}

int snic_profile_insert_member(struct snic_profile *profile, uint32_t id, uint32_t action, const uint8_t *args)
{
    if (snic_map_get(&profile->members, id))
        return SNIC_EXISTS;
    if (profile->members.count >= profile->desc->max_size)
        return SNIC_NO_ROOM;

    struct snic_member *member = calloc(1, sizeof *member);
    struct snic_call *call = new_call(profile, action, args);
    if (!member || !call || snic_map_put(&profile->members, id, member)) {
        free(member);
        free(call);
        return SNIC_NO_MEMORY;
    }
    member->id = id;
    atomic_init(&member->call, call);
    return SNIC_OK;
}

int snic_profile_modify_member(struct snic_profile *profile, uint32_t id, uint32_t action, const uint8_t *args)
{
    struct snic_member *member = snic_map_get(&profile->members, id);

    if (!member)
        return SNIC_NOT_FOUND;
    struct snic_call *call = new_call(profile, action, args);
    if (!call)
        return SNIC_NO_MEMORY;
    snic_retire_block(profile->epoch, atomic_exchange(&member->call, call));
    return SNIC_OK;
}

int snic_profile_delete_member(struct snic_profile *profile, uint32_t id)
{
    struct snic_member *member = snic_map_get(&profile->members, id);

    if (!member)
        return SNIC_NOT_FOUND;
    if (member->uses)
        return SNIC_IN_USE;
    snic_map_remove(&profile->members, id);
    snic_retire_block(profile->epoch, atomic_load(&member->call));
    snic_retire_block(profile->epoch, member);
    return SNIC_OK;
}

/* ---- choices ---------------------------------------------------------------------------------------------------- */

static bool is_active(const struct snic_profile *profile, const struct snic_group_member *member)
{
    return member->watch_port < 0 || !snic_map_get(&profile->ports_down, (uint32_t)member->watch_port);
}

static struct snic_choice *new_choice(uint64_t count)
{
    struct snic_choice *choice = calloc(1, sizeof *choice + count * sizeof choice->slots[0]);

    if (choice)
        choice->count = count;
    return choice;
}

static int by_id(const void *left, const void *right)
{
    uint32_t a = (*(struct snic_member *const *)left)->id, b = (*(struct snic_member *const *)right)->id;

    return (a > b) - (a < b);
}

/* As BMv2 does: `weight` copies of each active member, by id. */
static struct snic_choice *choose_by_weight(const struct snic_profile *profile,
                                            const struct snic_group_member *members, uint32_t count)
{
    uint64_t copies = 0;

    for (uint32_t i = 0; i < count; i++)
        copies += is_active(profile, &members[i]) ? members[i].weight : 0;
    struct snic_choice *choice = new_choice(copies);
    if (!choice)
        return NULL;
    struct snic_member **slot = choice->slots;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t copy = 0; is_active(profile, &members[i]) && copy < members[i].weight; copy++)
            *slot++ = snic_map_get(&profile->members, members[i].member_id);
    qsort(choice->slots, copies, sizeof choice->slots[0], by_id);
    return choice;
}

static uint64_t score(uint32_t slot, uint32_t member_id, uint32_t copy)
{
    uint64_t contender = (uint64_t)member_id << 32 | slot;
    unsigned __int128 product = (unsigned __int128)(contender ^ 0xd9b4a7c65e3812f1u) * (copy ^ 0x97e58d3ba4c1620fu);
    uint64_t folded = (uint64_t)product ^ (uint64_t)(product >> 64);
    return folded * 0xc2f96b518e07d3a5u;
}

/*
 * Rendezvous hashing (Thaler and Ravishankar): each slot goes to the copy of an active member with its best score. The
 * reference executor scores alike, so that both choose alike.
 */
static struct snic_choice *choose_resiliently(const struct snic_profile *profile,
                                              const struct snic_group_member *members, uint32_t count)
{
    struct snic_choice *choice = new_choice(RESILIENT_SLOTS);

    if (!choice)
        return NULL;
    for (uint32_t slot = 0; slot < RESILIENT_SLOTS; slot++) {
        uint64_t best = 0;
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t copy = 0; is_active(profile, &members[i]) && copy < members[i].weight; copy++) {
                uint64_t here = score(slot, members[i].member_id, copy);
                if (!choice->slots[slot] || here > best) {
                    best = here;
                    choice->slots[slot] = snic_map_get(&profile->members, members[i].member_id);
                }
            }
    }
    if (!choice->slots[0])
        choice->count = 0;
    return choice;
}

static struct snic_choice *choose(const struct snic_profile *profile, const struct snic_group_member *members,
                                  uint32_t count)
{
    return profile->resilient ? choose_resiliently(profile, members, count)
                              : choose_by_weight(profile, members, count);
}

static void choose_again(struct snic_profile *profile)
{
    uint32_t at = 0;

    for (struct snic_group *group; (group = snic_map_next(&profile->groups, &at));) {
        struct snic_choice *choice = choose(profile, group->members, group->count);
        if (choice)
            snic_retire_block(profile->epoch, atomic_exchange(&group->choice, choice));
    }
}

void snic_profile_set_port_up(struct snic_profile *profile, uint32_t port, bool up)
{
    if (up)
        snic_map_remove(&profile->ports_down, port);
    else if (snic_map_put(&profile->ports_down, port, profile))
        return;
    choose_again(profile);
}

void snic_profile_set_resilient(struct snic_profile *profile, bool resilient)
{
    profile->resilient = resilient;
    choose_again(profile);
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

static void use_members(struct snic_profile *profile, const struct snic_group_member *members, uint32_t count, int uses)
{
    for (uint32_t i = 0; i < count; i++)
        ((struct snic_member *)snic_map_get(&profile->members, members[i].member_id))->uses += (uint32_t)uses;
}

/* Replaces the members. */
static int fill(struct snic_profile *profile, struct snic_group *group, const struct snic_group_member *members,
                uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!snic_map_get(&profile->members, members[i].member_id))
            return SNIC_NO_MEMBER;

    struct snic_group_member *copy = calloc(count ? count : 1, sizeof *copy);
    struct snic_choice *choice = copy ? choose(profile, members, count) : NULL;
    if (!choice) {
        free(copy);
        return SNIC_NO_MEMORY;
    }
    if (count)
        memcpy(copy, members, count * sizeof *copy);
    use_members(profile, members, count, 1);
    use_members(profile, group->members, group->count, -1);
    free(group->members);
    group->members = copy;
    group->count = count;
    snic_retire_block(profile->epoch, atomic_exchange(&group->choice, choice));
    return SNIC_OK;
}

static void free_group(struct snic_group *group)
{
    free(group->members);
    free(atomic_load(&group->choice));
    free(group);
}

int snic_profile_insert_group(struct snic_profile *profile, uint32_t id, const struct snic_group_member *members,
                              uint32_t count)
{
    if (snic_map_get(&profile->groups, id))
        return SNIC_EXISTS;
    struct snic_group *group = calloc(1, sizeof *group);
    if (!group)
        return SNIC_NO_MEMORY;
    group->id = id;
    int error = fill(profile, group, members, count);
    if (!error && snic_map_put(&profile->groups, id, group)) {
        use_members(profile, members, count, -1);
        error = SNIC_NO_MEMORY;
    }
    if (error)
        free_group(group);
    return error;
}

int snic_profile_modify_group(struct snic_profile *profile, uint32_t id, const struct snic_group_member *members,
                              uint32_t count)
{
    struct snic_group *group = snic_map_get(&profile->groups, id);

    return group ? fill(profile, group, members, count) : SNIC_NOT_FOUND;
}

int snic_profile_delete_group(struct snic_profile *profile, uint32_t id)
{
    struct snic_group *group = snic_map_get(&profile->groups, id);

    if (!group)
        return SNIC_NOT_FOUND;
    if (group->uses)
        return SNIC_IN_USE;
    use_members(profile, group->members, group->count, -1);
    snic_map_remove(&profile->groups, id);
    free(group->members);
    snic_retire_block(profile->epoch, atomic_load(&group->choice));
    snic_retire_block(profile->epoch, group);
    return SNIC_OK;
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

int snic_profile_init(struct snic_profile *profile, const struct snic_profile_desc *desc, struct snic_epoch *epoch)
{
    *profile = (struct snic_profile){.desc = desc, .epoch = epoch};
    int error = snic_map_init(&profile->members, epoch);
    if (!error)
        error = snic_map_init(&profile->groups, epoch);
    return error ? error : snic_map_init(&profile->ports_down, epoch);
}

void snic_profile_destroy(struct snic_profile *profile)
{
    uint32_t at = 0;

    if (atomic_load(&profile->groups.slots))
        for (struct snic_group *group; (group = snic_map_next(&profile->groups, &at));)
            free_group(group);
    at = 0;
    if (atomic_load(&profile->members.slots))
        for (struct snic_member *member; (member = snic_map_next(&profile->members, &at));) {
            free(atomic_load(&member->call));
            free(member);
        }
    snic_map_destroy(&profile->members);
    snic_map_destroy(&profile->groups);
    snic_map_destroy(&profile->ports_down);
}
