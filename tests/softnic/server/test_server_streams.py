# SPDX-License-Identifier: Apache-2.0
"""Packet-ins, packet-outs, digests and idle notices over real streams, and what happens to a client that is slow."""

from __future__ import annotations

import queue
import threading

import pytest
from finsy.proto import p4d, p4r
from google.protobuf.any_pb2 import Any as AnyMessage
from grpc import StatusCode
from p4rt import (
    DELETE,
    DEVICE_ID,
    IDS,
    INSERT,
    TIMEOUT_S,
    Client,
    digest,
    exact_entry,
    status_code,
    uint128,
    update,
)

from softnic.ports import MemoryPort
from softnic.server import P4RuntimeError, P4RuntimeServer
from softnic.server.streams import MAX_QUEUED, MAX_QUEUED_NOTIFICATIONS, Stream
from softnic.switch import Switch

FRAME = bytes(6) + b"\0\0\0\0\0\x05" + b"\x12\x34" + b"payload"


def metadata(*values: bytes) -> list[p4r.PacketMetadata]:
    return [p4r.PacketMetadata(metadata_id=index, value=value) for index, value in enumerate(values, 1)]


# ---- packets --------------------------------------------------------------------------------------------------------


def test_a_packet_in_has_its_metadata_and_its_payload(primary: Client, ports: dict[int, MemoryPort]) -> None:
    ports[3].inject(FRAME)
    assert primary.take().packet == p4r.PacketIn(payload=FRAME, metadata=metadata(b"\3", b"\7"))


def test_a_packet_out_goes_where_its_metadata_says(primary: Client, ports: dict[int, MemoryPort]) -> None:
    primary.send(packet=p4r.PacketOut(payload=FRAME, metadata=metadata(b"\0\2", b"\0")))
    assert ports[2].take() == FRAME


def test_metadata_come_in_any_order(primary: Client, ports: dict[int, MemoryPort]) -> None:
    primary.send(packet=p4r.PacketOut(payload=FRAME, metadata=metadata(b"\2", b"\0")[::-1]))
    assert ports[2].take() == FRAME


REFUSED_METADATA = {
    "missing": (metadata(b"\2"), r"metadata 2 (reserved) is missing"),
    "extra": (metadata(b"\2", b"\0", b"\0"), "no metadata has id 3; there are 1 (egress_port), 2 (reserved)"),
    "twice": ([*metadata(b"\2", b"\0"), *metadata(b"\2")], "metadata 1 is given twice"),
    "too wide": (metadata(b"\2\0", b"\0"), "metadata 1 (egress_port): value has 10 bits, field is 9 wide"),
    "empty": (metadata(b"", b"\0"), "value is empty"),
}


@pytest.mark.parametrize("name", REFUSED_METADATA)
def test_a_packet_out_with_wrong_metadata_is_a_stream_error(primary: Client, server, name: str) -> None:
    wrong, reason = REFUSED_METADATA[name]
    packet = p4r.PacketOut(payload=FRAME, metadata=wrong)
    primary.send(packet=packet)
    error = primary.take().error
    assert status_code(error.canonical_code) == StatusCode.INVALID_ARGUMENT
    assert reason in error.message
    assert error.packet_out.packet_out == packet
    assert server.stats.packet_outs_refused == 1


def test_a_packet_out_longer_than_a_frame_is_a_stream_error(primary: Client) -> None:
    primary.send(packet=p4r.PacketOut(payload=bytes(70000), metadata=metadata(b"\2", b"\0")))
    assert status_code(primary.take().error.canonical_code) == StatusCode.INVALID_ARGUMENT


def test_a_backup_may_not_send_packets_and_gets_none(connect, primary: Client, ports: dict[int, MemoryPort]) -> None:
    backup = connect(0)
    backup.bid()
    assert backup.arbitration() == StatusCode.ALREADY_EXISTS
    ports[0].inject(FRAME)
    assert primary.take().HasField("packet")
    backup.send(packet=p4r.PacketOut(payload=FRAME, metadata=metadata(b"\2", b"\0")))
    assert status_code(backup.take().error.canonical_code) == StatusCode.PERMISSION_DENIED


def test_the_primaries_of_all_roles_get_packet_ins(connect, primary: Client, ports: dict[int, MemoryPort]) -> None:
    named = connect(1, role="fabric").become_primary()
    ports[0].inject(FRAME)
    assert primary.take().packet == named.take().packet


def test_a_packet_in_without_primary_is_counted(primary: Client, connect, server: P4RuntimeServer, switch) -> None:
    observer = connect(0)
    observer.bid()
    assert observer.arbitration() == StatusCode.ALREADY_EXISTS
    primary.close_stream()
    assert observer.arbitration() == StatusCode.NOT_FOUND
    switch.on_packet_in(b"\0\7" + FRAME)
    assert server.stats.packet_ins_without_primary == 1
    observer.bid(1)
    assert observer.arbitration() == StatusCode.OK
    switch.on_packet_in(b"\0\7" + FRAME)
    assert observer.take().packet.payload == FRAME
    assert server.stats.packet_ins == 1


def test_a_packet_shorter_than_the_controller_header_is_counted(primary: Client, switch: Switch, server) -> None:
    assert switch.on_packet_in is not None
    switch.on_packet_in(b"\0")
    assert server.stats.packet_ins_too_short == 1


def test_a_message_of_unknown_content_is_a_stream_error(primary: Client) -> None:
    other = AnyMessage(type_url="example.org/unknown")
    primary.send(other=other)
    error = primary.take().error
    assert status_code(error.canonical_code) == StatusCode.UNIMPLEMENTED
    assert error.other.other == other


def test_an_empty_message_is_a_stream_error(primary: Client) -> None:
    primary.send()
    assert status_code(primary.take().error.canonical_code) == StatusCode.UNIMPLEMENTED


def test_a_switch_that_takes_no_more_packets_is_a_stream_error(
    primary: Client, switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch, "packet_out", lambda _: False)
    primary.send(packet=p4r.PacketOut(payload=FRAME, metadata=metadata(b"\2", b"\0")))
    assert status_code(primary.take().error.canonical_code) == StatusCode.RESOURCE_EXHAUSTED


# ---- digests and idle notices ---------------------------------------------------------------------------------------


def learned(source: int) -> p4d.P4Data:
    members = [p4d.P4Data(bitstring=bytes([source])), p4d.P4Data(bitstring=b"\1")]
    return p4d.P4Data(struct=p4d.P4StructLike(members=members))


def frame_from(source: int) -> bytes:
    return bytes(11) + bytes([source]) + b"\x12\x34"


def take_digest(client: Client) -> p4r.DigestList:
    """The next digest list; the packet-ins that the same frames cause are passed over."""
    while True:
        message = client.take()
        if message.HasField("digest"):
            return message.digest
        assert message.HasField("packet")


def test_a_digest_is_sent_once_until_it_is_acknowledged(primary: Client, ports: dict[int, MemoryPort]) -> None:
    primary.write(update(INSERT, digest_entry=digest(max_list_size=1, ack_timeout_ns=10**12)))
    for source in (5, 5, 6):
        ports[1].inject(frame_from(source))
    first, second = take_digest(primary), take_digest(primary)
    assert [list(each.data) for each in (first, second)] == [[learned(5)], [learned(6)]]
    assert first.digest_id == IDS["learned_t"]
    assert first.timestamp > 0
    primary.send(digest_ack=p4r.DigestListAck(digest_id=first.digest_id, list_id=first.list_id))
    # A refused message comes back after the acknowledgement has been handled.
    primary.send()
    while not primary.take().HasField("error"):
        pass
    ports[1].inject(frame_from(5))
    assert list(take_digest(primary).data) == [learned(5)]


def test_digests_wait_for_each_other_up_to_their_timeout(primary: Client, ports: dict[int, MemoryPort]) -> None:
    primary.write(update(INSERT, digest_entry=digest(max_timeout_ns=50_000_000)))
    for source in (5, 6, 7):
        ports[1].inject(frame_from(source))
    digests = []
    while len(digests) < 3:
        digests += take_digest(primary).data
    assert digests == [learned(source) for source in (5, 6, 7)]


def test_a_new_primary_is_sent_what_the_old_one_did_not_acknowledge(
    connect, primary: Client, ports: dict[int, MemoryPort]
) -> None:
    primary.write(update(INSERT, digest_entry=digest(max_list_size=1, ack_timeout_ns=10**12)))
    ports[1].inject(frame_from(5))
    take_digest(primary)
    second = connect(2).become_primary()
    ports[1].inject(frame_from(5))
    assert list(take_digest(second).data) == [learned(5)]


def test_an_acknowledgement_of_an_unknown_digest_is_a_stream_error(primary: Client) -> None:
    ack = p4r.DigestListAck(digest_id=1, list_id=1)
    primary.send(digest_ack=ack)
    error = primary.take().error
    assert status_code(error.canonical_code) == StatusCode.INVALID_ARGUMENT
    assert error.digest_list_ack.digest_list_ack == ack


def test_an_idle_entry_is_told_of_with_what_identifies_it(primary: Client) -> None:
    entry = exact_entry(idle_timeout_ns=1_000_000, metadata=b"mine", controller_metadata=5)
    primary.write(update(INSERT, table_entry=entry))
    notice = primary.take().idle_timeout_notification
    entry.ClearField("action")
    assert list(notice.table_entry) == [entry]
    assert notice.timestamp > 0
    primary.write(update(DELETE, table_entry=entry))


# ---- slow clients ---------------------------------------------------------------------------------------------------

PACKET = p4r.StreamMessageResponse(packet=p4r.PacketIn(payload=FRAME))
NOTIFICATION = p4r.StreamMessageResponse(arbitration=p4r.MasterArbitrationUpdate())


def test_a_full_queue_drops_packets_and_says_so() -> None:
    stream = Stream()
    assert all(stream.offer(PACKET) for _ in range(MAX_QUEUED))
    assert not stream.offer(PACKET)


def test_a_full_queue_still_takes_notifications_up_to_a_bound_then_disconnects() -> None:
    stream = Stream()
    for _ in range(MAX_QUEUED):
        stream.offer(PACKET)
    for _ in range(MAX_QUEUED_NOTIFICATIONS + 1):
        stream.notify(NOTIFICATION)
    messages = stream.messages()
    for _ in range(MAX_QUEUED + MAX_QUEUED_NOTIFICATIONS):
        next(messages)
    with pytest.raises(P4RuntimeError) as ending:
        next(messages)
    assert ending.value.code == StatusCode.RESOURCE_EXHAUSTED


def test_a_closed_stream_takes_nothing_and_ends_after_what_it_has() -> None:
    stream = Stream()
    stream.offer(PACKET)
    stream.close()
    assert not stream.offer(PACKET)
    assert list(stream.messages()) == [PACKET]


def test_closing_wakes_who_waits_for_messages() -> None:
    stream = Stream()
    waiting = threading.Thread(target=lambda: list(stream.messages()))
    waiting.start()
    stream.close()
    waiting.join(TIMEOUT_S)
    assert not waiting.is_alive()


def test_a_client_that_does_not_read_loses_packets_and_holds_up_nobody(
    connect, primary: Client, server: P4RuntimeServer, switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue of the silent client fills up; the other primary gets every packet meanwhile."""
    monkeypatch.setattr("softnic.server.streams.MAX_QUEUED", 16)
    bid = p4r.MasterArbitrationUpdate(device_id=DEVICE_ID, role=p4r.Role(name="silent"), election_id=uint128(1))
    requests = queue.SimpleQueue[p4r.StreamMessageRequest]()
    requests.put(p4r.StreamMessageRequest(arbitration=bid))
    silent = connect().stub.StreamChannel(iter(requests.get, None))
    assert status_code(next(silent).arbitration.status.code) == StatusCode.OK
    assert switch.on_packet_in is not None
    # gRPC itself takes some megabytes for a client before it makes us wait.
    for number in range(500):
        payload = number.to_bytes(2, "big") + bytes(60_000)
        switch.on_packet_in(b"\0\7" + payload)
        assert primary.take().packet.payload == payload
    assert server.stats.stream_messages_lost > 0
    silent.cancel()
