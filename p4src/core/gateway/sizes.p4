// SPDX-License-Identifier: Apache-2.0
// How many entries each table is guaranteed to hold.
#ifndef CORE_GATEWAY_SIZES_P4
#define CORE_GATEWAY_SIZES_P4

const bit<32> INTERFACES           = 8192;    // {port, VLAN}: two ports with every VLAN
const bit<32> TENANTS              = 4096;    // 12 bits of tenant_id
const bit<32> ROUTERS              = 4096;    // one a tenant at most
const bit<32> TUNNELS              = 8192;
const bit<32> TUNNEL_PEERS         = 8192;    // one a tunnel, for either address family
const bit<32> TUNNEL_NETWORKS      = 16384;   // one a segment
const bit<32> UNDERLAYS            = 4096;
const bit<32> LOCAL_ADDRESSES      = 32768;   // 2 a segment
const bit<32> TENANT_DESTINATIONS  = 32768;   // 8 prefixes a tenant

const bit<32> CACHE_IPV4           = 524288;  // both directions of 256 k flows
const bit<32> CACHE_IPV6           = 262144;
const bit<32> CACHE_AGGREGATES     = 16384;

const bit<32> SESSIONS_IPV4        = 524288;  // both directions of 256 k connections
const bit<32> SESSIONS_IPV6        = 262144;
const bit<32> OPENINGS             = 65536;   // 16 bits of a hash: connections of the last second
const bit<32> FIREWALL_RULES       = 65536;   // 16 bits of rule_id
const bit<32> NAT_MAPPINGS         = 262144;
const bit<32> NAT_STATICS          = 16384;
const bit<32> NAT_POOLS            = 4096;

const bit<32> ROUTES               = 65536;
const bit<32> NEIGHBORS            = 65536;
const bit<32> NEXT_HOPS            = 131072;  // one a neighbor, as many for everything else
const bit<32> ECMP_GROUPS          = 4096;
const bit<32> ECMP_MEMBERS         = 16384;   // of all groups together

const bit<32> DROP_REASONS         = 256;     // every drop_reason_t
const bit<32> OUTCOMES             = 256;     // every outcome_t
const bit<32> PUNT_REASONS         = 256;     // every punt_reason_t
const bit<32> CACHE_OUTCOMES       = 32768;   // tenant_id * 8 + cache_outcome_t
const bit<32> TENANT_DIRECTIONS    = 8192;    // tenant_id * 2 + (from outside ? 1 : 0)

#endif
