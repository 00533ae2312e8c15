// SPDX-License-Identifier: Apache-2.0
// One object of every kind that P4Runtime can write or read. What it does with packets is only what the tests look at:
// port 1 is learned and counted, the CPU port's packets go where their header says, all others go to the CPU.
#include <core.p4>
#include <v1model.p4>

@controller_header("packet_in")
header packet_in_t {
    bit<9> ingress_port;
    bit<7> reason;
}

@controller_header("packet_out")
header packet_out_t {
    bit<9> egress_port;
    bit<7> reserved;
}

header ethernet_t {
    bit<48> dst;
    bit<48> src;
    bit<16> ether_type;
}

struct headers_t {
    packet_in_t packet_in;
    packet_out_t packet_out;
    ethernet_t ethernet;
}

struct learned_t {
    bit<48> src;
    bit<9> port;
}

struct meta_t {
    bit<2> color;
    bit<8> mark;
    bit<1> is_special;
}

const bit<9> CPU_PORT = 510;
const bit<9> LEARNING_PORT = 1;

// What the parser's value set holds.
struct special_t {
    bit<16> ether_type;
    bit<9> port;
}

parser ParserImpl(packet_in packet, out headers_t hdr, inout meta_t meta, inout standard_metadata_t std) {
    value_set<special_t>(2) specials;

    state start {
        transition select(std.ingress_port) {
            CPU_PORT: parse_packet_out;
            default: parse_ethernet;
        }
    }
    state parse_packet_out {
        packet.extract(hdr.packet_out);
        transition parse_ethernet;
    }
    state parse_ethernet {
        packet.extract(hdr.ethernet);
        transition select(hdr.ethernet.ether_type, std.ingress_port) {
            specials: mark_special;
            default: accept;
        }
    }
    state mark_special {
        meta.is_special = 1;
        transition accept;
    }
}

control VerifyChecksumImpl(inout headers_t hdr, inout meta_t meta) {
    apply {}
}

control IngressImpl(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t std) {
    counter(16, CounterType.packets_and_bytes) port_counter;
    meter(8, MeterType.bytes) port_meter;
    register<bit<32>>(16) last_seen;
    register<int<12>>(4) balance;
    direct_counter(CounterType.packets_and_bytes) exact_counter;
    direct_meter<bit<2>>(MeterType.packets) exact_meter;
    action_profile(8) profile;
    action_selector(HashAlgorithm.crc32, 8, 16) balancer;

    action drop() {
        mark_to_drop(std);
    }
    action forward(bit<9> port) {
        std.egress_spec = port;
    }
    action mark(bit<8> value) {
        meta.mark = value;
    }
    action punt() {
        std.egress_spec = CPU_PORT;
        hdr.packet_in.setValid();
        hdr.packet_in.ingress_port = std.ingress_port;
        hdr.packet_in.reason = 7;
    }
    action meter_and_forward(bit<9> port) {
        exact_meter.read(meta.color);
        std.egress_spec = port;
    }

    table exact_table {
        key = {
            hdr.ethernet.dst: exact @name("dst");
            std.ingress_port: exact @name("port");
        }
        actions = {
            meter_and_forward;
            @tableonly mark;
            @defaultonly drop;
            NoAction;
        }
        const default_action = NoAction;
        counters = exact_counter;
        meters = exact_meter;
        size = 4;
        support_timeout = true;
    }
    table lpm_table {
        key = { hdr.ethernet.src: lpm @name("src"); }
        actions = {
            forward;
            @tableonly mark;
            @defaultonly drop;
            NoAction;
        }
        default_action = NoAction;
        size = 16;
    }
    table ternary_table {
        key = {
            hdr.ethernet.dst: ternary @name("dst");
            hdr.ethernet.ether_type: range @name("ether_type");
            std.ingress_port: optional @name("port");
            meta.mark: exact @name("mark");
        }
        actions = {
            forward;
            NoAction;
        }
        size = 16;
    }
    table const_table {
        key = { hdr.ethernet.ether_type: ternary @name("ether_type"); }
        actions = {
            mark;
            NoAction;
        }
        const entries = {
            0x0800: mark(1);
            0x86dd: mark(2);
        }
    }
    table keyless_table {
        actions = {
            mark;
            NoAction;
        }
        default_action = mark(9);
    }
    table profile_table {
        key = { hdr.ethernet.dst: exact @name("dst"); }
        actions = {
            forward;
            drop;
        }
        implementation = profile;
        size = 8;
    }
    table selector_table {
        key = {
            hdr.ethernet.dst: exact @name("dst");
            hdr.ethernet.src: selector;
        }
        actions = {
            forward;
            drop;
        }
        implementation = balancer;
        size = 8;
    }

    apply {
        if (hdr.packet_out.isValid()) {
            std.egress_spec = hdr.packet_out.egress_port;
            hdr.packet_out.setInvalid();
        } else {
            punt();
            if (meta.is_special == 1) {
                hdr.packet_in.reason = 8;
            }
            port_counter.count((bit<32>)std.ingress_port);
            last_seen.write((bit<32>)std.ingress_port, (bit<32>)hdr.ethernet.src);
            balance.write(0, -12s1);
            port_meter.execute_meter((bit<32>)std.ingress_port, meta.color);
            if (std.ingress_port == LEARNING_PORT && hdr.ethernet.isValid()) {
                digest<learned_t>(1, {hdr.ethernet.src, std.ingress_port});
            }
            const_table.apply();
            keyless_table.apply();
            exact_table.apply();
            lpm_table.apply();
            ternary_table.apply();
            profile_table.apply();
            selector_table.apply();
            if (std.egress_spec != CPU_PORT) {
                hdr.packet_in.setInvalid();
            }
        }
    }
}

control EgressImpl(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t std) {
    apply {}
}

control ComputeChecksumImpl(inout headers_t hdr, inout meta_t meta) {
    apply {}
}

control DeparserImpl(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.packet_in);
        packet.emit(hdr.ethernet);
    }
}

V1Switch(ParserImpl(), VerifyChecksumImpl(), IngressImpl(), EgressImpl(), ComputeChecksumImpl(), DeparserImpl()) main;
