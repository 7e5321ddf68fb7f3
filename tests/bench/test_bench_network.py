"""What bench/network.py takes down of the tests that cut the network."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import results

import network

BENCH = Path(__file__).resolve().parents[2] / "bench"

REPORT = """<testsuites><testsuite>
<testcase classname="a" name="cut[plain]"><properties>
<property name="Cut: until all rooms are back" value="1.5"/></properties></testcase>
<testcase classname="a" name="cut[tls]"><properties>
<property name="Cut: until all rooms are back" value="2.5"/></properties></testcase>
{more}
</testsuite></testsuites>"""

FAILED = '<testcase classname="a" name="late"><failure message="no">...</failure></testcase>'
BROKEN = '<testcase classname="a" name="bad"><error message="no">...</error></testcase>'
SKIPPED = '<testcase classname="a" name="root"><skipped message="needs root">...</skipped></testcase>'


def report(more: str = "") -> network.Found:
    return network.read(ET.fromstring(REPORT.format(more=more)).iter("testcase"))


def test_seconds_of_the_same_cut_are_runs_of_one_figure() -> None:
    found = report()
    assert found.seconds == {"Cut: until all rooms are back": [1.5, 2.5]}
    figures = network.figures(found)
    assert [figure.claim for figure in figures[3:]] == ["Cut: until all rooms are back"]
    assert figures[3].holds() is None, "no goal for speed"
    assert results.code(figures) == 0


def test_a_test_that_failed_or_was_skipped_misses_the_goal() -> None:
    for more, failed, skipped in (
        (FAILED, ["a.late"], []),
        (BROKEN, ["a.bad"], []),
        (SKIPPED, [], ["a.root: needs root"]),
    ):
        found = report(more)
        assert (found.passed, found.failed, found.skipped) == (2, failed, skipped)
        assert results.code(network.figures(found)) == 1


def test_it_runs_the_tests_that_are_named() -> None:
    command = [sys.executable, str(BENCH / "network.py"), "--only", "servers_half_close", "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100)
    found = json.loads(done.stdout)
    assert (found["passed"], found["failed"], found["skipped"]) == (2, [], [])
    assert [len(seconds) for seconds in found["seconds"].values()] == [2], "without TLS, and with it"
