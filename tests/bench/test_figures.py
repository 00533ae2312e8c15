# SPDX-License-Identifier: Apache-2.0
"""What is made of counters and clocks: rates, goals, the search for the best rate, the table."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from bench.from_memory import _goal, describe
from bench.measure import Plan, Rate, StealClock, Window, rate_of, sample_windows, thread_named
from bench.peers.doxygen import header_text
from bench.process import PeerError, run, running, wait_for
from bench.report import table, write_json
from bench.result import Result
from bench.scenario import router_scenario
from bench.veth import Trial, best_rate

MS = 1_000_000


def rate(mpps: float) -> Rate:
    return Rate(mpps, mpps, mpps, waited=0.0, steal=0.0)


def test_a_rate_is_the_median_of_packets_per_second_of_cpu_time():
    windows = [
        Window(1_000_000, 200 * MS, 100 * MS),
        Window(3_000_000, 100 * MS, 100 * MS),
        Window(0, 100 * MS, 100 * MS),
    ]
    found = rate_of(windows, steal=0.0)
    assert (found.lowest, found.mpps, found.highest) == (0.0, 10.0, 30.0)
    assert found.waited == pytest.approx(0.25)


def test_no_windows_are_no_rate():
    with pytest.raises(ValueError, match="nothing"):
        rate_of([], steal=0.0)


def test_windows_are_what_passed_between_two_readings_of_the_counter():
    counts = iter([100, 130, 190])
    me = Path(f"/proc/self/task/{threading.get_native_id()}")
    windows = sample_windows(Plan(2, 0.0, core=0, control_core=0), lambda: next(counts), me)
    assert [window.packets for window in windows] == [30, 60]
    assert all(window.wall_ns > 0 for window in windows)


def test_a_thread_is_found_by_the_beginning_of_its_name():
    me = Path(f"/proc/self/task/{threading.get_native_id()}")
    name = (me / "comm").read_text().strip()
    assert (thread_named(threading.get_native_id(), name[:4]) / "comm").read_text().strip() == name


def test_a_thread_that_is_not_there_is_an_error():
    with pytest.raises(LookupError):
        thread_named(threading.get_native_id(), "no such thread")


def test_steal_is_a_share():
    assert 0.0 <= StealClock().share() <= 1.0


@pytest.mark.parametrize(
    ("goal_mpps", "goal_ratio", "peers", "goal"),
    [
        (10.0, 2.0, {"OVS-DPDK": 4.0, "rte_swx": 3.0}, 10.0),
        (10.0, 2.0, {"OVS-DPDK": 4.0, "rte_swx": 6.0}, 12.0),
        (10.0, 2.0, {"plain C": 40.0}, 10.0),
        (0.0, 0.0, {"OVS-DPDK": 4.0}, None),
    ],
)
def test_a_goal_is_the_more_of_a_figure_and_a_multiple_of_the_fastest_peer(goal_mpps, goal_ratio, peers, goal):
    scenario = router_scenario(16, 64, goal_mpps, goal_ratio)
    assert _goal(scenario, {name: rate(mpps) for name, mpps in peers.items()}) == goal


def test_what_disturbed_a_measurement_is_said():
    assert "waited 40%" in describe(Rate(1.0, 1.0, 1.0, waited=0.4, steal=0.0))
    assert "do not trust" in describe(Rate(1.0, 1.0, 1.0, waited=0.0, steal=0.1))
    assert describe(rate(10.0)) == "100.0 ns, 10.00 to 10.00"


@pytest.mark.parametrize("capacity", [3_000.0, 46_000.0, 700_000.0])
def test_the_search_comes_close_to_what_a_forwarder_carries(capacity):
    def try_rate(pps: float) -> Trial:
        offered = round(min(pps, 1_200_000))
        return Trial(offered, offered if offered <= capacity else round(capacity / 2), 1.0)

    assert best_rate(try_rate) == pytest.approx(capacity, rel=0.05)


def test_a_forwarder_that_carries_all_there_is_is_measured_by_that():
    assert best_rate(lambda _: Trial(1_000, 1_000, 0.5)) == 2_000


def test_a_forwarder_that_loses_at_every_rate_has_none():
    assert best_rate(lambda pps: Trial(round(min(pps, 1e6)), 0, 1.0)) == 0.0


def test_one_hiccup_is_forgiven():
    tried: list[float] = []

    def try_rate(pps: float) -> Trial:
        tried.append(pps)
        first_time = tried.count(pps) == 1
        return Trial(1_000_000, 0 if first_time else 1_000_000, 1.0)

    assert best_rate(try_rate) == 1_000_000


@pytest.mark.parametrize(
    ("value", "goal", "higher", "reached"),
    [(2.0, 1.0, True, True), (2.0, 3.0, True, False), (2.0, 3.0, False, True), (2.0, None, True, None)],
)
def test_a_goal_is_reached_from_the_right_side(value, goal, higher, reached):
    assert Result("x", value, "s", goal, higher, "").reached is reached


def test_results_are_written_with_machine_and_date(tmp_path):
    result = Result("router: softnic", 12.0, "Mpps", 10.0, True, "")
    write_json([result], tmp_path / "results/latest.json")
    report = json.loads((tmp_path / "results/latest.json").read_text())
    assert report["machine"]
    assert report["date"]
    assert report["results"][0]["reached"] is True
    assert table([result]).row_count == 1


def test_a_header_is_read_out_of_its_documentation():
    page = (
        '<div class="line"><a id="l1"></a><span class="lineno">    1</span>#include &lt;stdint.h&gt;</div>\n'
        '<div class="line"><span class="lineno">    2</span><span class="keyword">struct </span>a;</div>\n'
    )
    assert header_text(page) == "#include <stdint.h>\nstruct a;\n"


# ---- processes ------------------------------------------------------------------------------------------------------


def test_a_command_that_fails_is_an_error_with_what_it_said():
    with pytest.raises(PeerError, match="exit 3: no luck"):
        run(["sh", "-c", "echo no luck >&2; exit 3"])


def test_waiting_ends_when_the_process_does(tmp_path):
    log = tmp_path / "log"
    with running(["sh", "-c", "echo gone"], log) as process, pytest.raises(PeerError, match=r"it ended: gone"):
        wait_for(lambda: None, "it", process, log, seconds=10)


def test_a_process_is_ended_with_its_context(tmp_path):
    with running(["sleep", "60"], tmp_path / "log") as process:
        assert process.poll() is None
    assert process.returncode is not None
