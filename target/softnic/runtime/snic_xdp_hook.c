/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "snic_xdp_hook.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
    long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);

    return result < 0 ? -errno : (int)result;
}

static int make_map(uint32_t queues)
{
    union bpf_attr attributes = {
        .map_type = BPF_MAP_TYPE_XSKMAP, .key_size = 4, .value_size = 4, .max_entries = queues};

    return bpf(BPF_MAP_CREATE, &attributes);
}

/* return bpf_redirect_map(map, context->rx_queue_index, XDP_PASS); */
static int load_program(int map)
{
    const struct bpf_insn instructions[] = {
        {.code = BPF_LDX | BPF_MEM | BPF_W,
         .dst_reg = BPF_REG_2,
         .src_reg = BPF_REG_1,
         .off = offsetof(struct xdp_md, rx_queue_index)},
        {.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map},
        {0}, /* the upper half of the 64-bit constant */
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_PASS},
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr attributes = {
        .prog_type = BPF_PROG_TYPE_XDP,
        .expected_attach_type = BPF_XDP,
        .insns = (uintptr_t)instructions,
        .insn_cnt = sizeof instructions / sizeof *instructions,
        .license = (uintptr_t) "Apache-2.0",
        .prog_name = "softnic",
    };

    return bpf(BPF_PROG_LOAD, &attributes);
}

static int attach(int program, unsigned interface_index, uint32_t mode)
{
    union bpf_attr attributes = {.link_create = {.prog_fd = (uint32_t)program,
                                                 .target_ifindex = interface_index,
                                                 .attach_type = BPF_XDP,
                                                 .flags = mode}};

    return bpf(BPF_LINK_CREATE, &attributes);
}

static int load_and_attach(int map, unsigned interface_index)
{
    int program = load_program(map);

    if (program < 0)
        return program;
    int link = attach(program, interface_index, XDP_FLAGS_DRV_MODE);
    if (link < 0 && link != -EBUSY)
        link = attach(program, interface_index, XDP_FLAGS_SKB_MODE);
    close(program);
    return link;
}

int snic_xdp_hook_open(const struct snic_interface *interface, struct snic_xdp_hook *hook)
{
    int map = make_map(interface->receive_queues);

    if (map < 0)
        return map;
    int link = load_and_attach(map, interface->index);
    if (link < 0) {
        close(map);
        return link;
    }
    *hook = (struct snic_xdp_hook){.map = map, .link = link};
    return 0;
}

int snic_xdp_hook_set(const struct snic_xdp_hook *hook, uint32_t queue, int socket)
{
    union bpf_attr attributes = {
        .map_fd = (uint32_t)hook->map, .key = (uintptr_t)&queue, .value = (uintptr_t)&socket};

    return bpf(BPF_MAP_UPDATE_ELEM, &attributes);
}

void snic_xdp_hook_close(struct snic_xdp_hook *hook)
{
    close(hook->link);
    close(hook->map);
}
