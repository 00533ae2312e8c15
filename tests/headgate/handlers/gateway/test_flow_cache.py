# SPDX-License-Identifier: Apache-2.0
"""What is written for samples and deleted for notices, and what is left alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from finsy import GRPCStatusCode
from flow_samples import EPOCHS, ICMP, TCP, TENANT, UDP, answer, sample

from headgate.handlers.gateway.entries import Entry
from headgate.handlers.gateway.flow_cache import DELETE, FULL_PAUSE_NS, INSERT, MODIFY, RECENT_NS, Change, FlowCache
from headgate.handlers.gateway.keys import reverse
from headgate.handlers.gateway.samples import FlowSample
from headgate.handlers.gateway.synthesis import Timeouts
from headgate.vocabulary import Consulted, FlowEvent, FlowResult

SECOND_NS = 1_000_000_000
TIMEOUTS = Timeouts()
FIN, RST = 0x01, 0x04


class Model:
    """A cache, a clock that only moves when told, and what the device holds if it does all it is told."""

    def __init__(self, mapped: Sequence[bytes] = ()) -> None:
        self.cache = FlowCache(TIMEOUTS, aggregate=True, mapped=mapped)
        self.cache.epochs[TENANT] = EPOCHS
        self.now_ns = 10 * SECOND_NS
        self.held: dict[tuple[str, bytes], Entry] = {}

    def learn(self, *samples: FlowSample) -> list[Change]:
        return self.carry_out(self.cache.learn(samples, self.now_ns))

    def idle(self, *keys: bytes) -> list[Change]:
        """Notices of entries with these keys, as far as they are there."""
        entries = [Entry(table, key) for table, key in self.held if key in keys]
        return self.carry_out(self.cache.idle(entries, self.now_ns))

    def sweep(self, batch: int = 100) -> list[Change]:
        return [change for changes in self.cache.sweep(batch, self.now_ns) for change in self.carry_out(changes)]

    def carry_out(self, changes: list[Change]) -> list[Change]:
        for change in changes:
            place = (change.entry.table, change.entry.key)
            assert (place in self.held) == (change.type != INSERT), f"{change} would fail"
            if change.type == DELETE:
                del self.held[place]
            else:
                self.held[place] = change.entry
        self.cache.written(changes, self.now_ns)
        return changes

    def tables(self) -> list[str]:
        return sorted(table for table, _ in self.held)


@pytest.fixture
def model() -> Model:
    return Model()


def kinds(changes: Sequence[Change]) -> list[tuple[int, str]]:
    return [(change.type, change.entry.table) for change in changes]


def connect(model: Model, protocol: int = TCP, **fields: object) -> tuple[FlowSample, FlowSample]:
    """A connection with both directions cached. Returns: a sample of each."""
    forth = sample(protocol=protocol, **fields)
    back = answer(forth)
    model.learn(forth._replace(event=bytes([FlowEvent.NEW])))
    model.learn(forth, back)
    return forth, back


def close(flow: FlowSample, flags: int = RST) -> FlowSample:
    return flow._replace(event=bytes([FlowEvent.CLOSE]), tcp_flags=bytes([flags]))


SESSIONS = ["firewall_session_ipv4"] * 2

# ---- learning


def test_a_flow_is_written_once_however_often_it_is_reported(model: Model) -> None:
    assert kinds(model.learn(sample(), sample())) == [(INSERT, "cache_ipv4")]
    assert model.learn(sample()) == []
    assert model.cache.counts["duplicate"] == 2


def test_a_sample_of_an_epoch_that_is_over_is_dropped(model: Model) -> None:
    assert model.learn(sample(epoch=6), sample(router_epoch=2), sample(tenant_id=2)) == []
    assert model.cache.counts["stale"] == 3


def test_a_flow_learned_again_after_an_epoch_ended_replaces_its_entry(model: Model) -> None:
    model.learn(sample())
    model.cache.epochs[TENANT] = bytes.fromhex("00000008 00000003")
    assert kinds(model.learn(sample(epoch=8))) == [(MODIFY, "cache_ipv4")]


def test_a_flow_still_reported_long_after_it_was_written_is_written_again(model: Model) -> None:
    model.learn(sample())
    model.now_ns += 2 * RECENT_NS
    assert kinds(model.learn(sample())) == [(MODIFY, "cache_ipv4")]


def test_a_flow_whose_outside_port_is_another_connections_now_belongs_to_that_one(model: Model) -> None:
    def answer_to(host: str) -> FlowSample:
        return sample(
            protocol=UDP,
            segment_id=0,
            result=FlowResult.TRANSLATE,
            src_addr="198.51.100.1",
            dst_addr="203.0.113.1",
            new_dst_addr=host,
        )

    first, second = answer_to("10.0.0.1"), answer_to("10.0.0.2")
    for each in (first, second):
        model.learn(each._replace(event=bytes([FlowEvent.NEW])))
        model.now_ns += 2 * RECENT_NS
    assert model.cache.index.flows_of(first.session) == ()
    assert model.cache.index.flows_of(second.session) == (second.flow,)


def test_flows_that_one_aggregate_stands_for_share_it(model: Model) -> None:
    model.learn(*(sample(src_port=port, consulted=Consulted.DST_ADDR) for port in range(5)))
    assert model.tables() == ["cache_aggregate_ipv4"] + ["cache_ipv4"] * 5


def test_the_two_ends_of_a_connection_are_one_connection(model: Model) -> None:
    new = sample(event=FlowEvent.NEW, protocol=UDP)
    model.learn(new, answer(new, event=FlowEvent.NEW))
    assert model.tables() == ["cache_ipv4", *SESSIONS]


@pytest.mark.parametrize("code", [GRPCStatusCode.RESOURCE_EXHAUSTED, GRPCStatusCode.UNKNOWN])
def test_a_flow_that_finds_the_table_full_stays_on_the_slow_path_for_a_while(
    model: Model, code: GRPCStatusCode
) -> None:
    [change] = model.cache.learn([sample()], model.now_ns)
    assert model.cache.refused(change, code, model.now_ns) == []
    assert model.cache.index.flows == 0
    assert model.learn(sample(), sample(src_port=5)) == []
    assert model.cache.counts["table_full"] == 3
    model.now_ns += FULL_PAUSE_NS
    assert kinds(model.learn(sample())) == [(INSERT, "cache_ipv4")]


def test_other_tables_are_written_while_one_is_full(model: Model) -> None:
    [change] = model.cache.learn([sample()], model.now_ns)
    model.cache.refused(change, GRPCStatusCode.RESOURCE_EXHAUSTED, model.now_ns)
    assert kinds(model.learn(sample(src_addr="2001:db8::1", dst_addr="2001:db8::2"))) == [(INSERT, "cache_ipv6")]


def test_a_connection_one_of_whose_sessions_was_refused_is_taken_back(model: Model) -> None:
    first, second, flow = model.cache.learn([sample(event=FlowEvent.NEW, protocol=UDP)], model.now_ns)
    instead = model.cache.refused(second, GRPCStatusCode.RESOURCE_EXHAUSTED, model.now_ns)
    assert {(change.type, change.entry.key) for change in instead} == {
        (DELETE, entry.key) for _, entry, _ in (first, second, flow)
    }
    assert model.cache.index.connections == model.cache.index.flows == 0


@pytest.mark.parametrize(
    ("asked", "code", "instead"),
    [
        (INSERT, GRPCStatusCode.ALREADY_EXISTS, MODIFY),
        (MODIFY, GRPCStatusCode.NOT_FOUND, INSERT),
    ],
    ids=["already there", "gone"],
)
def test_an_entry_that_is_otherwise_than_we_thought_is_corrected_once(
    model: Model, asked: int, code: GRPCStatusCode, instead: int
) -> None:
    [change] = model.cache.learn([sample()], model.now_ns)
    [corrected] = model.cache.refused(change._replace(type=asked), code, model.now_ns)
    assert (corrected.type, corrected.entry) == (instead, change.entry)
    assert model.cache.refused(corrected, code, model.now_ns) == []


def test_nothing_is_written_to_a_key_whose_entry_is_being_deleted(model: Model) -> None:
    model.learn(sample())
    deletes = model.cache.idle([Entry("cache_ipv4", sample().flow)], model.now_ns)
    assert model.cache.learn([sample()], model.now_ns) == []
    model.carry_out(deletes)
    assert kinds(model.learn(sample())) == [(INSERT, "cache_ipv4")]


# ---- idle notices


def test_an_idle_flow_is_deleted_and_the_repeated_notice_ignored(model: Model) -> None:
    model.learn(sample())
    deletes = model.cache.idle([Entry("cache_ipv4", sample().flow)] * 2, model.now_ns)
    assert kinds(deletes) == [(DELETE, "cache_ipv4")]


def test_an_idle_aggregate_leaves_its_flows(model: Model) -> None:
    model.learn(sample(consulted=Consulted.DST_ADDR))
    model.idle(*(key for table, key in model.held if table == "cache_aggregate_ipv4"))
    assert model.tables() == ["cache_ipv4"]


def test_a_session_is_not_idle_while_a_flow_of_its_connection_is_cached(model: Model) -> None:
    forth, back = connect(model)
    assert model.idle(forth.session, back.session) == []


@pytest.mark.parametrize(
    ("protocol", "lasts_ns"),
    [(TCP, TIMEOUTS.tcp_established_ns), (UDP, TIMEOUTS.udp_ns), (ICMP, TIMEOUTS.icmp_ns)],
    ids=["tcp", "udp", "icmp"],
)
def test_a_session_outlives_the_last_cached_flow_by_its_own_timeout(model: Model, protocol: int, lasts_ns: int) -> None:
    forth, back = connect(model, protocol)
    model.idle(forth.flow, back.flow)
    model.now_ns += lasts_ns - 1
    assert model.idle(forth.session, back.session) == []
    model.now_ns += 1
    assert kinds(model.idle(forth.session, back.session)) == [(DELETE, "firewall_session_ipv4")] * 2


def test_a_connection_with_one_end_active_is_not_idle(model: Model) -> None:
    new = sample(event=FlowEvent.NEW)
    model.learn(new)
    assert model.idle(new.session) == []
    model.now_ns += 3 * TIMEOUTS.tcp_transitory_ns
    assert model.idle(reverse(new.session)) == []
    assert model.idle(new.session) != []


def test_a_handshake_that_went_no_further_is_forgotten_early(model: Model) -> None:
    new = sample(event=FlowEvent.NEW)
    model.learn(new)
    model.now_ns += TIMEOUTS.tcp_transitory_ns
    model.idle(new.session, reverse(new.session))
    assert model.held == {}


def test_a_connection_that_only_finds_the_table_full_is_as_good_as_a_cached_one(model: Model) -> None:
    new = sample(event=FlowEvent.NEW)
    model.learn(new)
    [change] = model.cache.learn([sample()], model.now_ns)
    model.cache.refused(change, GRPCStatusCode.RESOURCE_EXHAUSTED, model.now_ns)
    model.learn(sample())
    model.now_ns += TIMEOUTS.tcp_transitory_ns
    assert model.idle(new.session, reverse(new.session)) == []


# ---- closing


def test_the_flows_of_a_closed_connection_leave_the_cache_at_once_and_its_sessions_later(model: Model) -> None:
    forth, back = connect(model)
    model.learn(close(forth, FIN), close(back, FIN))
    assert model.tables() == SESSIONS
    model.now_ns += TIMEOUTS.tcp_transitory_ns
    model.carry_out(model.cache.expire(model.now_ns))
    assert model.held == {}


def test_half_a_close_leaves_the_cache_alone(model: Model) -> None:
    forth, _ = connect(model)
    assert model.learn(close(forth, FIN), close(forth, FIN)) == []


def test_the_last_acknowledgement_is_not_cached(model: Model) -> None:
    forth, _ = connect(model)
    model.learn(close(forth))
    assert model.learn(forth) == []
    assert model.cache.counts["closed"] == 1


def test_a_connection_lives_on_after_a_forged_rst(model: Model) -> None:
    forth, _ = connect(model)
    model.learn(close(forth))
    model.now_ns += 3 * SECOND_NS
    assert kinds(model.learn(forth)) == [(INSERT, "cache_ipv4")]
    model.now_ns += TIMEOUTS.tcp_transitory_ns
    assert model.cache.expire(model.now_ns) == []


# ---- sweeping


def test_a_sweep_deletes_what_is_stale_and_nothing_else(model: Model) -> None:
    other = b"\0\2"
    model.cache.epochs[other] = EPOCHS
    model.learn(sample(), sample(tenant_id=2), sample(src_port=7, consulted=Consulted.DST_ADDR))
    model.cache.epochs[TENANT] = bytes.fromhex("00000008 00000003")
    model.sweep()
    assert [key[:2] for _, key in model.held] == [other]


def test_what_is_learned_again_during_a_sweep_stays(model: Model) -> None:
    model.learn(sample(src_port=1), sample(src_port=2))
    model.cache.epochs[TENANT] = bytes.fromhex("00000008 00000003")
    batches = model.cache.sweep(1, model.now_ns)
    model.carry_out(next(batches))
    model.learn(sample(src_port=2, epoch=8))
    for changes in batches:
        model.carry_out(changes)
    assert [key for _, key in model.held] == [sample(src_port=2).flow]


def test_connections_of_a_tenant_that_is_gone_are_swept(model: Model) -> None:
    connect(model)
    del model.cache.epochs[TENANT]
    model.sweep()
    assert model.held == {}


# ---- restart


def restarted(model: Model) -> Model:
    """A new controller of the same device."""
    again = Model()
    again.held = model.held
    again.now_ns = model.now_ns
    in_order = sorted(model.held.values(), key=lambda entry: not entry.table.startswith("firewall_session"))
    again.carry_out(again.cache.adopt(in_order, again.now_ns))
    return again


def test_a_restart_with_a_warm_cache_changes_nothing(model: Model) -> None:
    forth, back = connect(model)
    model.learn(sample(src_port=3, consulted=Consulted.DST_ADDR))
    before = dict(model.held)
    again = restarted(model)
    assert again.held == before
    assert again.sweep() == []
    assert again.idle(forth.session, back.session) == []


def test_a_restart_knows_translated_flows_by_their_sessions(model: Model) -> None:
    new = sample(event=FlowEvent.NEW, protocol=UDP, result=FlowResult.TRANSLATE, new_src_addr="203.0.113.1")
    model.learn(new)
    again = restarted(model)
    assert again.cache.index.flows_of(new.session) == (new.flow,)


def test_a_restart_sweeps_what_is_stale(model: Model) -> None:
    connect(model)
    again = restarted(model)
    again.cache.epochs[TENANT] = bytes.fromhex("00000008 00000003")
    again.sweep()
    assert again.tables() == SESSIONS


@pytest.mark.parametrize("left", ["originator", "responder"])
def test_a_restart_deletes_a_session_that_lacks_its_other_end(model: Model, left: str) -> None:
    connect(model)
    model.held = {place: entry for place, entry in model.held.items() if entry.action == left}
    assert len(model.held) == 1
    again = Model()
    changes = again.cache.adopt(model.held.values(), 0)
    assert {change.entry.key for change in changes} >= {key for _, key in model.held}
    assert {change.type for change in changes} == {DELETE}
