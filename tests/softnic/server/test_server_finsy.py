# SPDX-License-Identifier: Apache-2.0
"""finsy, the library headgate uses, as a client: pipeline, entries, packets, digests, in the clear and over TLS."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import finsy as fy
import grpc
import pytest
from finsy.p4entity import P4ValueSetMember
from finsy.proto import p4r, p4r_grpc, stratum
from p4rt import COMPILED, DEVICE_ID, IDS, TIMEOUT_S

from softnic.ports import MemoryPort
from softnic.server import P4RuntimeServer
from softnic.switch import Switch

OPTIONS = fy.SwitchOptions(
    p4info=COMPILED / "p4runtime.p4info.txtpb", p4blob=COMPILED / "p4runtime.json", device_id=DEVICE_ID
)
FRAME = bytes(11) + b"\x05\x12\x34"

P4Entity = fy.P4TableEntry | fy.P4MulticastGroupEntry | fy.P4RegisterEntry | fy.P4ValueSetEntry


async def read(switch: fy.Switch, entity: P4Entity) -> list:
    # finsy's overloads leave out that this is an async generator.
    return [found async for found in switch.read(entity)]  # pyright: ignore[reportGeneralTypeIssues]


def run(address: str, story, options: fy.SwitchOptions = OPTIONS) -> None:
    """Run ``story(switch)`` as the ready handler of a finsy switch; what it raises is raised here."""

    async def main() -> None:
        done = asyncio.get_running_loop().create_future()

        async def ready(switch: fy.Switch) -> None:
            try:
                await asyncio.wait_for(story(switch), TIMEOUT_S)
                done.set_result(None)
            except BaseException as error:
                done.set_exception(error)

        switch = fy.Switch("softnic", address, replace(options, ready_handler=ready))
        controller = fy.Controller([switch])
        async with controller:
            await asyncio.wait_for(done, TIMEOUT_S)

    asyncio.run(main())


def test_finsy_sets_the_pipeline_and_reads_what_it_wrote(server: P4RuntimeServer, address: str) -> None:
    exact = fy.P4TableEntry(
        "exact_table",
        match=fy.Match(dst=1, port=1),
        action=fy.Action("meter_and_forward", port=2),
        metadata=b"mine",
    )
    group = fy.P4MulticastGroupEntry(5, replicas=(1, 2))

    async def story(switch: fy.Switch) -> None:
        await switch.insert([exact, group])
        assert await read(switch, fy.P4TableEntry("exact_table", match=exact.match)) == [exact]
        assert await read(switch, fy.P4MulticastGroupEntry(5)) == [group]
        await switch.delete_all()
        assert await read(switch, fy.P4TableEntry("exact_table")) == []

    run(address, story)


def test_finsy_learns_of_each_failed_update(server: P4RuntimeServer, address: str) -> None:
    async def story(switch: fy.Switch) -> None:
        def entry(dst: int) -> fy.P4TableEntry:
            return fy.P4TableEntry(
                "exact_table", match=fy.Match(dst=dst, port=1), action=fy.Action("meter_and_forward", port=2)
            )

        await switch.insert([entry(1)])
        with pytest.raises(fy.P4ClientError) as failure:
            await switch.insert([entry(2), entry(1), entry(3)])
        assert {index: error.canonical_code.name for index, error in failure.value.details.items()} == {
            1: "ALREADY_EXISTS"
        }

    run(address, story)


def test_finsy_writes_and_reads_registers_and_value_sets(server: P4RuntimeServer, address: str) -> None:
    register = fy.P4RegisterEntry("last_seen", index=3, data=77)
    value_set = fy.P4ValueSetEntry("specials", members=[P4ValueSetMember(ether_type=0x88B5, port=3)])

    async def story(switch: fy.Switch) -> None:
        await switch.modify([register, value_set])
        assert await read(switch, fy.P4RegisterEntry("last_seen", index=3)) == [register]
        assert await read(switch, fy.P4ValueSetEntry("specials", members=[])) == [value_set]

    run(address, story)


def test_finsy_in_a_role_writes_only_what_is_the_roles_own(server: P4RuntimeServer, address: str) -> None:
    config = stratum.P4RoleConfig(shared_p4_ids=[IDS["last_seen"]], can_push_pipeline=True)
    options = replace(OPTIONS, role_name="observer", role_config=config)

    async def story(switch: fy.Switch) -> None:
        await switch.modify([fy.P4RegisterEntry("last_seen", index=3, data=77)])
        with pytest.raises(fy.P4ClientError) as failure:
            await switch.insert([fy.P4MulticastGroupEntry(5), fy.P4DigestEntry("learned_t")])
        assert {index: error.canonical_code.name for index, error in failure.value.details.items()} == {
            1: "PERMISSION_DENIED"
        }

    run(address, story, options)


def test_finsy_exchanges_packets(server: P4RuntimeServer, address: str, ports: dict[int, MemoryPort]) -> None:
    async def story(switch: fy.Switch) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            packets = switch.read_packets()
            await switch.write([fy.P4PacketOut(FRAME, egress_port=2, reserved=0)])
            assert await asyncio.to_thread(ports[2].take) == FRAME
            ports[3].inject(FRAME)
            packet = await anext(packets)
            assert (packet.payload, packet["ingress_port"], packet["reason"]) == (FRAME, 3, 7)

    run(address, story)


def test_finsy_gets_digests(server: P4RuntimeServer, address: str, ports: dict[int, MemoryPort]) -> None:
    async def story(switch: fy.Switch) -> None:
        await switch.insert([fy.P4DigestEntry("learned_t", max_list_size=1, ack_timeout_ns=10**12)])
        digests = switch.read_digests("learned_t")
        ports[1].inject(FRAME)
        digest = await anext(digests)
        assert digest.data == [{"src": 5, "port": 1}]
        await switch.write([digest.ack()])

    run(address, story)


# ---- TLS ------------------------------------------------------------------------------------------------------------

SIGNED = {"server": ["-addext", "subjectAltName=DNS:localhost"], "client": []}


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with a CA, and keys and certificates of it for a server and a client."""
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    ca = [tmp_path / "ca.pem", tmp_path / "ca.key"]
    openssl("req", "-x509", *new_key, "-subj", "/CN=test CA", "-out", ca[0], "-keyout", ca[1])
    for name, extensions in SIGNED.items():
        out = ["-out", tmp_path / f"{name}.pem", "-keyout", tmp_path / f"{name}.key"]
        openssl("req", "-x509", *new_key, "-subj", f"/CN={name}", "-CA", ca[0], "-CAkey", ca[1], *extensions, *out)
    return tmp_path


@pytest.fixture
def tls_address(switch: Switch, keys: Path) -> Iterator[str]:
    """A server that demands certificates of the CA from its clients."""
    credentials = grpc.ssl_server_credentials(
        [((keys / "server.key").read_bytes(), (keys / "server.pem").read_bytes())],
        root_certificates=(keys / "ca.pem").read_bytes(),
        require_client_auth=True,
    )
    server = P4RuntimeServer(switch, address="localhost:0", device_id=DEVICE_ID, credentials=credentials)
    yield f"localhost:{server.start()}"
    server.stop()


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on the PATH")


@needs_openssl
def test_a_client_with_a_certificate_of_the_ca_is_served(tls_address: str, keys: Path) -> None:
    credentials = fy.GRPCCredentialsTLS(
        cacert=keys / "ca.pem", cert=keys / "client.pem", private_key=keys / "client.key"
    )

    async def story(switch: fy.Switch) -> None:
        assert await read(switch, fy.P4TableEntry("exact_table")) == []

    run(tls_address, story, replace(OPTIONS, channel_credentials=credentials))


@needs_openssl
@pytest.mark.parametrize("secure", [True, False], ids=["without certificate", "without TLS"])
def test_a_client_is_not_served(tls_address: str, keys: Path, secure: bool) -> None:
    credentials = grpc.ssl_channel_credentials((keys / "ca.pem").read_bytes())
    channel = grpc.secure_channel(tls_address, credentials) if secure else grpc.insecure_channel(tls_address)
    with channel, pytest.raises(grpc.RpcError) as refusal:
        p4r_grpc.P4RuntimeStub(channel).Capabilities(p4r.CapabilitiesRequest())
    assert refusal.value.code() == grpc.StatusCode.UNAVAILABLE
