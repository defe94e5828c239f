"""Access records: who reached into whom, and what that would be called on Windows."""

from __future__ import annotations

import pytest
from tests.assemble.stage import CHILD, SECOND, SHELL, builder, execute, guid, head, task

from pysmon.assemble.access import granted
from pysmon.schema.catalogue import ProcessAccess
from pysmon.sensor.records import (
    ACCESS,
    OPEN_MEMORY,
    READ,
    TAKE_DESCRIPTOR,
    TRACE,
    WRITE,
    AccessRecord,
    components_of,
)

STRANGER = (77, 3 * SECOND, 1)


def access(source: tuple[int, int, int], target: tuple[int, int, int], **values: int | bytes) -> AccessRecord:
    whom = {"target_tgid": target[0], "target_start": target[1], "target_exec_id": target[2]}
    known: dict[str, int | bytes] = {"deed": TRACE, "target_image": components_of("/bin/seen")}
    return AccessRecord.make(**(head(source, 10 * SECOND) | whom | known | values))


def told(record: AccessRecord) -> ProcessAccess:
    stage = builder()
    stage.take(task(SHELL, "/bin/sh"))
    stage.take(execute(CHILD, "/usr/bin/gdb", b"gdb\0"))
    (event,) = stage.take(record)
    assert isinstance(event, ProcessAccess)
    return event


def test_both_are_named_from_the_process_table() -> None:
    event = told(access(CHILD, SHELL, tid=12, uid=1000, target_uid=1001))
    assert (event.SourceProcessGUID, event.TargetProcessGUID) == (guid(CHILD), guid(SHELL))
    assert (event.SourceProcessId, event.SourceThreadId, event.TargetProcessId) == (CHILD[0], 12, SHELL[0])
    assert (event.SourceImage, event.TargetImage) == ("/usr/bin/gdb", "/bin/sh")
    assert (event.SourceUser, event.TargetUser, event.CallTrace) == ("joe", "ann", "-")
    assert event.UtcTime == "2026-11-21 05:46:50.000"


def test_a_target_that_nobody_knows_is_what_the_kernel_says() -> None:
    event = told(access(CHILD, STRANGER))
    assert (event.TargetProcessGUID, event.TargetImage) == (guid(STRANGER), "/bin/seen")


def test_a_kernel_thread_has_no_image() -> None:
    assert told(access(CHILD, STRANGER, target_image=b"")).TargetImage == "-"


def test_an_actor_that_nobody_knows_has_sysmon_s_words() -> None:
    event = told(access(STRANGER, SHELL))
    assert (event.SourceProcessGUID, event.SourceImage) == (guid(STRANGER), "<unknown process>")


def test_nothing_is_built_unless_it_is_wanted() -> None:
    stage = builder()
    stage.want({1, 3})
    assert stage.take(access(CHILD, SHELL)) == ()


@pytest.mark.parametrize(
    ("deed", "mode", "mask"),
    [
        (TRACE, 0, 0x1C3A),
        (READ, 0, 0x1010),
        (WRITE, 0, 0x1028),
        (TAKE_DESCRIPTOR, 0, 0x1040),
        (OPEN_MEMORY, 1, 0x1010),
        (OPEN_MEMORY, 2, 0x1028),
        (OPEN_MEMORY, 3, 0x1038),
        (ACCESS, 0, 0x1C3A),
        (99, 0, 0x1C3A),
    ],
)
def test_a_deed_has_the_mask_that_the_page_of_the_event_states(deed: int, mode: int, mask: int) -> None:
    assert granted(deed, mode) == mask
    about = next(f for f in ProcessAccess.type.fields if f.name == "GrantedAccess").doc
    assert f"`{mask:#x}`" in about
