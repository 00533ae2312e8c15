# SPDX-License-Identifier: Apache-2.0
"""softnic and p4runtime-shell, a client with protobuf stubs and a codec that share nothing with ours.

The shell needs an old protobuf, so it runs in an environment of its own: `make shell` creates it.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from target_process import running

ROOT = Path(__file__).parents[2]
COMPILED = ROOT / "tests/p4/compiled"
SHELL_PYTHON = ROOT / ".venv-shell/bin/python"

pytestmark = pytest.mark.skipif(
    not (ROOT / ".venv-shell/ready").exists(), reason="p4runtime-shell is not installed (make shell)"
)

PATIENCE_S = 30

SESSION = f"""
import sys
import p4runtime_sh.shell as sh
from p4runtime_sh.p4runtime import P4RuntimeClient, P4RuntimeWriteException

# The shell grants a device 2 s to answer its bid, then exits and leaves a thread behind that keeps the process.
take = P4RuntimeClient.get_stream_packet
P4RuntimeClient.get_stream_packet = lambda client, kind, timeout: take(client, kind, timeout={PATIENCE_S})

sh.setup(
    device_id=1, grpc_addr=sys.argv[1], election_id=(0, 1), role_name=sys.argv[3] or None, verbose=False,
    config=sh.FwdPipeConfig({str(COMPILED / "p4runtime.p4info.txtpb")!r}, {str(COMPILED / "p4runtime.json")!r}),
)
try:
    exec(sys.argv[2])
finally:
    sh.teardown()  # its threads would keep the process
"""

INSERT = """
entry = sh.TableEntry("lpm_table")(action="forward")
entry.match["src"] = "02:00:00:00:00:00/8"
entry.action["port"] = "3"
entry.insert()
"""


@pytest.fixture
def session():
    """Run statements in the shell, on a fresh target; returns what they print."""

    def run(statements: str, role: str = "") -> str:
        with running() as (_, ready):
            address = re.findall(r"127.0.0.1:\d+", ready)[0]
            command = [SHELL_PYTHON, "-c", SESSION, address, statements, role]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2 * PATIENCE_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_an_entry_that_the_shell_inserts_is_read_back(session):
    output = session(INSERT + 'sh.TableEntry("lpm_table").read(print)')
    assert re.search(r'table_id: 45834221 \("IngressImpl.lpm_table"\)', output)
    assert re.search(r'value: "\\\\x02\\\\x00\\\\x00\\\\x00\\\\x00\\\\x00"\s+prefix_len: 8', output)
    assert re.search(r'action_id: 33244565 \("IngressImpl.forward"\)', output)


def test_an_entry_that_the_shell_deletes_is_gone(session):
    output = session(INSERT + 'entry.delete()\nprint(len(list(sh.TableEntry("lpm_table").read())), "entries")')
    assert output == "0 entries\n"


def test_the_shell_shows_each_error_of_a_write(session):
    output = session(
        INSERT
        + """
try:
    entry.insert()
except P4RuntimeWriteException as error:
    print(error)
"""
    )
    assert re.search(r"ALREADY_EXISTS.*lpm_table", output)


def test_the_shell_reads_every_cell_of_a_counter(session):
    assert session('print(len(list(sh.CounterEntry("port_counter").read())), "cells")') == "16 cells\n"


def test_the_shell_works_in_a_role_of_its_own(session):
    assert session(INSERT + 'print(len(list(sh.TableEntry("lpm_table").read())), "entry")', "fabric") == "1 entry\n"


MODIFY_AND_READ = """
from p4.v1 import p4runtime_pb2 as p4r
update = p4r.Update(type=p4r.Update.MODIFY)
{entity}
sh.client.write_update(update)
[response] = sh.client.read_one(update.entity)
print(list(response.entities) == [update.entity])
"""

REGISTER = """
info = next(r for r in sh.context.p4info.registers if r.preamble.alias == "last_seen")
update.entity.register_entry.register_id = info.preamble.id
update.entity.register_entry.index.index = 3
update.entity.register_entry.data.bitstring = b"\\x4d"
"""

VALUE_SET = """
info = next(v for v in sh.context.p4info.value_sets if v.preamble.alias == "specials")
update.entity.value_set_entry.value_set_id = info.preamble.id
member = update.entity.value_set_entry.members.add()
for field_id, value in ((1, b"\\x88\\xb5"), (2, b"\\x03")):
    member.match.add(field_id=field_id).exact.value = value
"""


@pytest.mark.parametrize("entity", [REGISTER, VALUE_SET], ids=["register", "value set"])
def test_messages_of_the_shells_own_stubs_are_read_back_as_they_were_written(session, entity):
    """The shell has no commands for these, but it has the messages."""
    assert session(MODIFY_AND_READ.format(entity=entity)) == "True\n"
