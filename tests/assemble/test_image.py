"""Image load records."""

from __future__ import annotations

import pytest
from tests.assemble.stage import CHILD, MACHINE, SECOND, SHELL, builder, execute, guid, head, task, users

from pysmon.assemble.extras import facts_of
from pysmon.assemble.processes import Processes
from pysmon.schema.catalogue import ImageLoad
from pysmon.sensor.load_records import EXECUTED, INTERPRETER, MAPPED, PROTECTED, ImageLoadRecord
from pysmon.sensor.records import components_of


def load(path: str, *, links: int = 1, how: int = MAPPED) -> ImageLoadRecord:
    return ImageLoadRecord.make(
        **head(CHILD, 10 * SECOND), uid=1000, links=links, how=how, address=0x7F0000001000, path=components_of(path)
    )


def test_the_file_is_told_with_the_process_that_mapped_it() -> None:
    stage = builder()
    stage.take(task(SHELL, "/bin/sh"))
    stage.take(execute(CHILD, "/bin/ls", b"ls\0"))
    (event,) = stage.take(load("/usr/lib/libc.so.6"))
    assert isinstance(event, ImageLoad)
    assert (event.ImageLoaded, event.Image, event.User) == ("/usr/lib/libc.so.6", "/bin/ls", "joe")
    assert (event.ProcessGuid, event.ProcessId) == (guid(CHILD), CHILD[0])
    assert event.UtcTime == "2026-11-21 05:46:50.000"
    assert {event.text(f) for f in ("Hashes", "Signed", "Signature", "SignatureStatus", "FileVersion")} == {"-"}


def test_a_file_without_a_name_is_told_as_deleted() -> None:
    (event,) = builder().take(load("/memfd:x", links=0))
    assert event.text("ImageLoaded") == "/memfd:x (deleted)"


def test_nothing_is_built_unless_it_is_wanted() -> None:
    stage = builder()
    stage.want({1, 6})
    assert stage.take(load("/usr/lib/libc.so.6")) == ()


@pytest.mark.parametrize(
    ("how", "word"),
    [(EXECUTED, "executed"), (INTERPRETER, "interpreter"), (MAPPED, "mmap"), (PROTECTED, "mprotect"), (9, "9")],
)
def test_json_tells_how_and_where_it_was_mapped(how: int, word: str) -> None:
    facts = facts_of(load("/a", how=how), Processes(MACHINE), users())
    assert facts == {"How": word, "MappedAt": "0x7f0000001000"}
