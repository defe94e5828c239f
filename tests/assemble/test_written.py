"""FileExecutableDetected, FileBlockExecutable and FileBlockShredding out of records."""

from __future__ import annotations

import pytest
from tests.assemble.stage import CHILD, SECOND, builder, guid, leave, task

from pysmon.assemble.builder import Builder
from pysmon.host.guid import NO_GUID
from pysmon.schema.catalogue import FileBlockExecutable, FileBlockShredding, FileExecutableDetected
from pysmon.sensor.filewatch.magic import KINDS
from pysmon.sensor.records import FileOverwriteRecord, FileWrittenRecord, components_of

NOW = "2026-11-21 05:46:50.000"


def written(kind: str, tgid: int = CHILD[0]) -> FileWrittenRecord:
    return FileWrittenRecord.make(
        tgid=tgid, time=10 * SECOND, program=KINDS.index(kind), path=components_of("/srv/a b")
    )


def with_child() -> Builder:
    made = builder()
    made.take(task(CHILD, "/bin/cp", uid=1000))
    return made


@pytest.mark.parametrize("kind", ["ELF", "script", "PE", "WebAssembly"])
def test_a_written_program_is_told_to_the_rules_of_both_events(kind: str) -> None:
    block, detected = with_child().take(written(kind))
    assert isinstance(block, FileBlockExecutable)
    assert isinstance(detected, FileExecutableDetected)
    told = ["-", NOW, guid(CHILD), "11", "joe", "/bin/cp", "/srv/a b", "-"]
    assert block.texts() == detected.texts() == told


def test_what_is_no_program_is_no_event() -> None:
    assert with_child().take(written("")) == ()


def test_only_what_is_wanted_is_built() -> None:
    made = with_child()
    made.want({29})
    assert [type(event) for event in made.take(written("ELF"))] == [FileExecutableDetected]
    made.want({27})
    assert [type(event) for event in made.take(written("ELF"))] == [FileBlockExecutable]
    assert made.take(FileOverwriteRecord.make(tgid=11, path=b"f\0")) == ()


def test_who_overwrites_is_told_with_what_is_there() -> None:
    record = FileOverwriteRecord.make(tgid=11, time=10 * SECOND, program=1, path=components_of("/etc/f"))
    (event,) = with_child().take(record)
    assert isinstance(event, FileBlockShredding)
    assert event.texts() == ["-", NOW, guid(CHILD), "11", "joe", "/bin/cp", "/etc/f", "-", "true"]


def test_a_process_that_ended_just_now_is_still_known_by_its_number() -> None:
    made = with_child()
    made.take(leave(CHILD))
    (_, event) = made.take(written("ELF"))
    assert isinstance(event, FileExecutableDetected)
    assert (event.Image, event.ProcessGuid) == ("/bin/cp", guid(CHILD))


def test_an_unknown_process_is_named_so() -> None:
    (_, event) = builder().take(written("ELF", tgid=99))
    assert isinstance(event, FileExecutableDetected)
    assert (event.Image, event.ProcessGuid, event.User) == ("<unknown process>", NO_GUID, "-")
