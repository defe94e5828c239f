"""The commands that read a log, on logs of others."""

from __future__ import annotations

import gzip
import json
import os
import re
import tempfile
from pathlib import Path

import pytest
from tests.cli.calls import Caller, spawned
from tests.sources.evtx_files import creations, evtx
from tests.sources.shapes import FILES, ME, PARENT

from pysmon.cli.source_log import SourceLog, Whole
from pysmon.sources.open import open_sources
from pysmon.store.query import Condition, Query


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "Sysmon.xml"
    path.write_bytes(FILES["wevtutil"][1])
    return path


def ids(out: str) -> list[int]:
    return [json.loads(line)["EventRecordID"] for line in out.splitlines()]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], [6577, 6578, 6579, 6580]),
        (["--id", "1,13"], [6577, 6579]),
        (["--where", "Image image x.exe"], [6578, 6579]),
        (["-n", 1], [6580]),
        (["--guid", PARENT], []),
        (["--guid", ME, "-n", 2], [6578, 6579]),
        (["--until", "2019-04-27T15:57:53.5"], [6577]),
        (["--text", "172.217.17.132"], [6578]),
    ],
)
def test_a_log_of_others_is_asked_like_our_own(
    pysmon: Caller, log: Path, options: list[object], found: list[int]
) -> None:
    answer = pysmon("log", log, "--format", "json", *options)
    assert (answer.code, ids(answer.out)) == (0 if found else 1, found)
    assert answer.err == f"pysmon: {log}: 1 event of other channels (Security: 1)\n"
    assert pysmon("log", "--from", log, "--format", "json", *options).out == answer.out


def test_the_parent_of_whom_no_event_tells_is_in_the_tree(pysmon: Caller, log: Path) -> None:
    assert pysmon("tree", log).out.splitlines() == [
        "              explorer.exe [2772]  began earlier  C:\\Windows\\Explorer.EXE",
        "2019-04-27",
        "15:57:53.300  `- Flash <update> & co.exe [2680]  IEWIN7\\Jörg  net 1  registry 1  "
        "\"C:\\Users\\Jörg\\Flash.exe\" /x %%TEMP%% 'y' 🜚",
    ]
    assert pysmon("tree", 2680, log).out.splitlines()[1].startswith("15:57:53.300  Flash")


def test_story_and_who_answer_from_logs_of_others(pysmon: Caller, log: Path) -> None:
    story = pysmon("story", 2680, log)
    assert story.code == 0
    assert re.findall(r"15:57:\d\d\.\d{3}", story.out) == ["15:57:53.300", "15:57:53.871", "15:57:56.884"]
    who = pysmon("who", log, "--ip", "172.217.17.132")
    assert (who.code, "explorer.exe" in who.out) == (0, True)
    assert pysmon("story", 99, log).code == 1


def test_a_folder_of_logs_is_one_log(pysmon: Caller, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    evtx(tmp_path / "logs" / "a.evtx", creations(2))
    (tmp_path / "logs" / "b.gz").write_bytes(gzip.compress(FILES["nxlog"][1]))
    assert ids(pysmon("log", tmp_path / "logs", "--format", "json").out) == [1, 2, 6577, 6578, 6579, 6580]
    assert len(pysmon("tree", tmp_path / "logs", "--all").out.splitlines()) > 4


def test_a_shape_can_be_named(pysmon: Caller, log: Path) -> None:
    assert pysmon("log", log, "--input-format", "xml").code == 0
    wrong = pysmon("log", log, "--input-format", "evx")
    assert (wrong.code, "did you mean evtx?" in wrong.err) == (2, True)


def test_what_cannot_be_read_is_told(pysmon: Caller, tmp_path: Path) -> None:
    assert pysmon("log", tmp_path / "absent").code == 2
    assert pysmon("log", tmp_path / "absent*.evtx").code == 2
    both = pysmon("log", tmp_path, "--store", tmp_path)
    assert (both.code, "exclude each other" in both.err) == (2, True)


def test_standard_input_may_be_of_any_shape() -> None:
    for data in (FILES["wevtutil"][1], gzip.compress(FILES["nxlog"][1])):
        answer = spawned("log", "-", "--format", "json", stdin=data)
        assert (answer.code, ids(answer.out)) == (0, [6577, 6578, 6579, 6580])


def test_the_copy_answers_as_reading_does_and_is_removed(log: Path, tmp_path: Path) -> None:
    before = set(os.listdir(tempfile.gettempdir()))
    queries = [
        Query(),
        Query(ids=frozenset([1, 3])),
        Query(processes=frozenset([ME])),
        Query(parents=frozenset([PARENT])),
        Query(order="newest first", limit=2),
        Query(after=1, upto=3),
        Query(limit=1),
        Query(conditions=(Condition("Image", "end with", "x.exe"),)),
    ]
    read, copied = SourceLog([str(log)]), SourceLog([str(log)], often=True)
    for query in queries:
        assert list(read.rows(query)) == list(copied.rows(query))
    (source,) = open_sources([log])
    assert [entry for _, entry in copied.rows(Query())] == list(source.entries())  # with all that it says
    copied.close()
    copied.close()
    assert {n for n in os.listdir(tempfile.gettempdir()) if n.startswith("pysmon-")} <= before


def test_several_logs_are_measured_as_one(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b")]
    for path in paths:
        path.write_bytes(FILES["wevtutil"][1])
    sources = list(open_sources(paths))
    whole = Whole(sources)
    done = []
    for source in whole:
        done += [whole.done for _ in source.entries()]
    assert (whole.name, whole.size) == ("2 logs", sum(path.stat().st_size for path in paths))
    assert done == sorted(done)
    assert done[-1] > sources[0].size
    assert whole.done == whole.size
