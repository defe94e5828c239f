"""ProcessTampering out of exec records."""

from __future__ import annotations

import pytest
from tests.assemble.stage import CHILD, SECOND, builder, execute, guid, head, users

from pysmon.assemble.extras import facts_of
from pysmon.schema.catalogue import ProcessCreate, ProcessTampering
from pysmon.sensor.memory_records import FILE, MAPPED_OVER, NAMELESS, RELINKED, UNLOCKED, TamperRecord
from pysmon.sensor.records import components_of

EVIL = execute(CHILD, "/memfd:evil", links=0, uid=1000)


def test_a_program_whose_file_has_no_name_makes_two_events() -> None:
    create, event = builder().take(EVIL)
    assert isinstance(create, ProcessCreate)
    assert isinstance(event, ProcessTampering)
    assert (event.ProcessGuid, event.ProcessId, event.User) == (guid(CHILD), CHILD[0], "joe")
    assert (event.Image, event.Type) == ("/memfd:evil (deleted)", "Image is replaced")
    assert event.UtcTime == create.UtcTime == "2026-11-21 05:46:49.000"


def test_a_program_that_has_a_name_makes_one() -> None:
    assert [type(e) for e in builder().take(execute(CHILD, "/bin/true"))] == [ProcessCreate]


def test_each_is_built_only_if_it_is_wanted() -> None:
    stage = builder()
    stage.want({25})
    assert [type(e) for e in stage.take(EVIL)] == [ProcessTampering]
    stage.want({1})
    assert [type(e) for e in stage.take(EVIL)] == [ProcessCreate]
    stage.want({3})
    assert stage.take(EVIL) == ()


def tamper(how: int, **values: int | bytes) -> TamperRecord:
    return TamperRecord.make(**(head(CHILD, 10 * SECOND) | {"how": how, "uid": 1000} | values))


@pytest.mark.parametrize(
    ("how", "kind"),
    [(RELINKED, "Image is replaced"), (UNLOCKED, "Code is made writable"), (MAPPED_OVER, "Image is replaced")],
)
def test_a_process_that_changes_what_it_runs_is_told_by_what_it_executed(how: int, kind: str) -> None:
    stage = builder()
    stage.take(execute(CHILD, "/bin/victim"))
    (event,) = stage.take(tamper(how, module=components_of("/bin/other")))
    assert isinstance(event, ProcessTampering)
    assert (event.ProcessGuid, event.ProcessId, event.Image) == (guid(CHILD), CHILD[0], "/bin/victim")
    assert (event.Type, event.User, event.UtcTime) == (kind, "joe", "2026-11-21 05:46:50.000")
    assert f"`{kind}`" in (ProcessTampering.type.field("Type") or pytest.fail("no such field")).doc
    stage.want({1})
    assert stage.take(tamper(how)) == ()


def test_a_process_that_passes_for_what_it_is_is_not_told() -> None:
    stage = builder()
    stage.take(execute(CHILD, "/bin/victim"))
    assert stage.take(tamper(RELINKED, module=components_of("/bin/victim"))) == ()


def test_json_tells_how_and_to_what() -> None:
    processes = builder().processes
    libc = components_of("/lib/libc.so.6")
    assert facts_of(
        tamper(UNLOCKED, address=0x1000, bytes=4096, rights=7, module=libc, region=FILE), processes, users()
    ) == {
        "Tampering": "mprotect",
        "Module": "/lib/libc.so.6",
        "Address": "0x0000000000001000",
        "Bytes": 4096,
        "RegionRights": "rwxp",
    }
    assert facts_of(tamper(MAPPED_OVER, module=b"memfd:x\0", region=NAMELESS), processes, users()) == {
        "Tampering": "mmap",
        "Module": "/memfd:x (deleted)",
        "Address": "0x0000000000000000",
        "Bytes": 0,
        "RegionRights": "---p",
    }
    assert facts_of(tamper(RELINKED, module=libc), processes, users()) == {
        "Tampering": "PR_SET_MM_EXE_FILE",
        "Module": "/lib/libc.so.6",
    }
