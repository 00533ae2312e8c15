# SPDX-License-Identifier: Apache-2.0
"""A port on pcap files: it waits for the switch to begin, loses nothing silently, and its output is a whole file."""

from __future__ import annotations

import select

import pytest

from softnic.pcap import PcapWriter, read_pcap
from softnic.ports import PcapPort, PortError


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "in.pcap"
    with path.open("wb") as stream:
        writer = PcapWriter(stream)
        for index in range(3):
            writer.write(index, bytes([index]))
    return path


def is_ready(port):
    return bool(select.select([port], [], [], 0)[0])


def test_nothing_is_read_before_the_switch_begins(capture):
    port = PcapPort(4, capture, None)
    assert not is_ready(port)
    port.begin()
    assert is_ready(port)
    port.close()


def test_frames_come_in_order_up_to_the_limit_and_then_the_port_is_quiet(capture):
    port = PcapPort(4, capture, None)
    port.begin()
    assert port.receive(2) == [(4, b"\x00"), (4, b"\x01")]
    assert is_ready(port)
    assert port.receive(2) == [(4, b"\x02")]
    assert not is_ready(port)
    port.close()


def test_a_frame_the_capture_cut_short_is_dropped_and_counted(capture):
    data = bytearray(capture.read_bytes())
    data[24 + 12] = 60  # the first record's original length
    capture.write_bytes(data)
    port = PcapPort(4, capture, None)
    port.begin()
    assert [frame for _, frame in port.receive(10)] == [b"\x01", b"\x02"]
    assert port.rx_dropped() == 1
    port.close()


def test_a_damaged_record_ends_the_input_after_the_frames_before_it(capture):
    capture.write_bytes(capture.read_bytes() + b"rubbish")
    port = PcapPort(4, capture, None)
    port.begin()
    assert len(port.receive(10)) == 3
    assert port.rx_dropped() == 1
    assert not is_ready(port)
    port.close()


def test_what_is_sent_is_in_the_file_after_close(tmp_path):
    path = tmp_path / "out.pcap"
    port = PcapPort(4, None, path)
    assert port.send(4, b"first")
    assert port.send(4, b"second")
    port.close()
    with path.open("rb") as stream:
        assert [record.data for record in read_pcap(stream)] == [b"first", b"second"]


def test_without_an_output_file_a_frame_is_lost(capture):
    port = PcapPort(4, capture, None)
    assert not port.send(4, b"frame")
    port.close()


def test_a_missing_input_is_refused_with_its_name(tmp_path):
    with pytest.raises(PortError, match=r"port 4: .*absent.pcap: No such file"):
        PcapPort(4, tmp_path / "absent.pcap", None)


def test_an_input_that_is_no_pcap_is_refused_with_its_name(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("to do: nothing")
    with pytest.raises(PortError, match=r"notes.txt: not a pcap file"):
        PcapPort(4, path, None)
