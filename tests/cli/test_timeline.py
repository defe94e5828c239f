"""`pysmon timeline`: events in the order in which they happened."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.calls import Caller
from tests.cli.logs import written
from tests.sources.evtx_files import creations, evtx
from tests.sources.shapes import FILES
from tests.views.cast import intrusion


def ids(out: str) -> list[int]:
    return [json.loads(line)["EventRecordID"] for line in out.splitlines()]


def test_events_of_several_logs_are_interleaved(pysmon: Caller, tmp_path: Path) -> None:
    shapes = tmp_path / "log.json"
    shapes.write_bytes(FILES["wevtutil"][1])
    file = evtx(tmp_path / "a.evtx", creations(3))
    answer = pysmon("timeline", file, shapes, "--format", "json")
    # 6577 happened at .300, the creations of the file at .368, what follows later
    assert ids(answer.out) == [6577, 1, 2, 3, 6578, 6579, 6580]
    assert answer.err == f"pysmon: {shapes}: 1 event of other channels (Security: 1)\n"
    assert ids(pysmon("timeline", file, shapes, "--format", "json", "-n", 2).out) == [6579, 6580]
    assert ids(pysmon("timeline", file, shapes, "--format", "json", "--id", 1).out) == [6577, 1, 2, 3]


def test_the_last_twenty_are_shown_unless_all_are_asked_for(pysmon: Caller, tmp_path: Path) -> None:
    file = evtx(tmp_path / "a.evtx", creations(30))
    assert ids(pysmon("timeline", file, "--format", "json").out) == list(range(11, 31))
    assert ids(pysmon("timeline", file, "--format", "json", "--all").out) == list(range(1, 31))
    assert pysmon("timeline", file, "--id", 22).code == 1


def test_our_own_logs_have_a_timeline_too(pysmon: Caller, tmp_path: Path) -> None:
    entries = intrusion().entries
    log = written("--store", tmp_path, entries[::-1])
    assert ids(pysmon("timeline", *log, "--format", "json").out) == [e.record_id for e in entries]
