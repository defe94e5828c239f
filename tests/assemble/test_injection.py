"""CreateRemoteThread out of injection records: both ends, the place, and what JSON adds."""

from __future__ import annotations

import pytest
from tests.assemble.stage import CHILD, SECOND, SHELL, builder, execute, guid, head, task, users

from pysmon.assemble.extras import facts_of
from pysmon.assemble.injection import rights_text
from pysmon.schema.catalogue import CreateRemoteThread
from pysmon.sensor.memory_records import (
    ANONYMOUS,
    FILE,
    MAY_EXECUTE,
    MAY_READ,
    MEMORY_WRITTEN,
    NAMELESS,
    NOWHERE,
    POINTED,
    POKED,
    SHARED,
    WRITTEN,
    InjectionRecord,
)
from pysmon.sensor.records import components_of

STRANGER = (77, 3 * SECOND, 1)
LIBC = components_of("/usr/lib/libc.so.6")


def injection(target: tuple[int, int, int] = SHELL, **values: int | bytes) -> InjectionRecord:
    whom = {"target_tgid": target[0], "target_start": target[1], "target_exec_id": target[2]}
    known: dict[str, int | bytes] = {"way": POKED, "times": 1, "target_image": components_of("/bin/seen")}
    return InjectionRecord.make(**(head(CHILD, 10 * SECOND) | whom | known | values))


def told(record: InjectionRecord) -> CreateRemoteThread:
    stage = builder()
    stage.take(task(SHELL, "/bin/sh"))
    stage.take(execute(CHILD, "/usr/bin/gdb", b"gdb\0"))
    (event,) = stage.take(record)
    assert isinstance(event, CreateRemoteThread)
    return event


def test_both_are_named_from_the_process_table_and_the_place_from_the_record() -> None:
    event = told(injection(target_tid=12, uid=1000, target_uid=1001, address=0x7F00DEADBEEF, module=LIBC, region=FILE))
    assert (event.SourceProcessGuid, event.TargetProcessGuid) == (guid(CHILD), guid(SHELL))
    assert (event.SourceProcessId, event.TargetProcessId, event.NewThreadId) == (CHILD[0], SHELL[0], 12)
    assert (event.SourceImage, event.TargetImage) == ("/usr/bin/gdb", "/bin/sh")
    assert (event.SourceUser, event.TargetUser) == ("joe", "ann")
    assert (event.StartAddress, event.StartModule) == ("0x00007F00DEADBEEF", "/usr/lib/libc.so.6")
    assert (event.StartFunction, event.UtcTime) == ("-", "2026-11-21 05:46:50.000")


def test_a_target_that_nobody_knows_is_what_the_kernel_says() -> None:
    event = told(injection(STRANGER))
    assert (event.TargetProcessGuid, event.TargetImage) == (guid(STRANGER), "/bin/seen")


def test_memory_of_no_file_has_no_module_and_a_file_without_a_name_says_so() -> None:
    assert told(injection(region=ANONYMOUS)).StartModule == "-"
    assert told(injection(region=NAMELESS, module=b"memfd:x\0")).StartModule == "/memfd:x (deleted)"


def test_nothing_is_built_unless_it_is_wanted() -> None:
    stage = builder()
    stage.want({1, 10})
    assert stage.take(injection()) == ()


@pytest.mark.parametrize(
    ("way", "name"),
    [
        (POKED, "ptrace, memory"),
        (POINTED, "ptrace, registers"),
        (WRITTEN, "process_vm_writev"),
        (MEMORY_WRITTEN, "/proc/PID/mem"),
        (99, "99"),
    ],
)
def test_json_names_the_way(way: int, name: str) -> None:
    facts = facts_of(injection(way=way), builder().processes, users())
    assert facts == {"Injection": name, "Times": 1, "Region": "nothing"}


def test_json_counts_and_describes_the_place() -> None:
    record = injection(times=3, bytes=24, region=FILE, rights=MAY_READ | MAY_EXECUTE, module=LIBC, offset=0x1A2B)
    assert facts_of(record, builder().processes, users()) == {
        "Injection": "ptrace, memory",
        "Times": 3,
        "Bytes": 24,
        "Region": "file",
        "RegionRights": "r-xp",
        "StartOffset": "0x1a2b",
    }


@pytest.mark.parametrize(("region", "name"), [(NOWHERE, "nothing"), (NAMELESS, "deleted file"), (42, "42")])
def test_json_names_the_region(region: int, name: str) -> None:
    assert facts_of(injection(region=region), builder().processes, users())["Region"] == name


@pytest.mark.parametrize(("rights", "text"), [(0, "---p"), (2, "-w-p"), (7 | SHARED, "rwxs")])
def test_rights_read_as_in_proc(rights: int, text: str) -> None:
    assert rights_text(rights) == text
