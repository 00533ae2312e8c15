/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_link.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t get(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

void snic_link_sum(struct snic_link *link, struct snic_link_counts *counts, struct snic_port_stats *stats)
{
    if (link)
        atomic_fetch_add(&counts->rx_lost_by_kernel, link->kind->lost_by_kernel(link));
    stats->rx_packets += get(&counts->rx_packets);
    stats->rx_bytes += get(&counts->rx_bytes);
    stats->rx_dropped += get(&counts->rx_dropped) + get(&counts->rx_lost_by_kernel);
    stats->tx_packets += get(&counts->tx_packets);
    stats->tx_bytes += get(&counts->tx_bytes);
    stats->tx_dropped += get(&counts->tx_dropped);
}

static uint32_t receive_queues(int fd, struct ifreq *request)
{
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};

    request->ifr_data = (char *)&channels;
    return ioctl(fd, SIOCETHTOOL, request) ? 1 : channels.rx_count + channels.combined_count;
}

static int ask(int fd, struct ifreq *request, struct snic_interface *interface)
{
    if (ioctl(fd, SIOCGIFINDEX, request))
        return -errno;
    interface->index = (unsigned)request->ifr_ifindex;
    if (ioctl(fd, SIOCGIFHWADDR, request))
        return -errno;
    if (request->ifr_hwaddr.sa_family != ARPHRD_ETHER && request->ifr_hwaddr.sa_family != ARPHRD_LOOPBACK)
        return -EMEDIUMTYPE;
    if (ioctl(fd, SIOCGIFMTU, request))
        return -errno;
    interface->mtu = (uint32_t)request->ifr_mtu;
    interface->receive_queues = receive_queues(fd, request);
    return 0;
}

int snic_interface_find(const char *name, struct snic_interface *interface)
{
    struct ifreq request = {0};

    if (strlen(name) >= IFNAMSIZ)
        return -ENODEV;
    strcpy(request.ifr_name, name);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = ask(fd, &request, interface);
    close(fd);
    return error;
}
