"""Deeds against pysmon: what the report says of them, and that a flood of them is no flood of reports."""

from __future__ import annotations

from typing import Any

import pytest
from tests.assemble.stage import CHILD, MACHINE, SECOND, SHELL, builder, execute, guid, head, parent, task

from pysmon.assemble.builder import Builder
from pysmon.schema.catalogue import ErrorReport
from pysmon.schema.event import Event
from pysmon.sensor.records import (
    ACCESS,
    BPF,
    LINK,
    MAP,
    OPEN_MEMORY,
    PROGRAM,
    READ,
    SIGNAL,
    TAKE_DESCRIPTOR,
    TRACE,
    WRITE,
    GuardRecord,
    components_of,
)

KEY = tuple[int, int, int]
NOW = 100 * SECOND
MINUTE = 60 * SECOND
KERNEL = 0x80
BY = "/usr/bin/bash [11] of joe, child of /usr/sbin/sshd [10]"


def deed(deed: int = SIGNAL, number: int = 15, *, key: KEY = CHILD, time: int = NOW, **more: Any) -> GuardRecord:
    made: dict[str, Any] = {**head(key, time), **parent(SHELL), "deed": deed, "number": number, "uid": 1000}
    made |= {"image": components_of("/usr/bin/bash"), "parent_image": components_of("/usr/sbin/sshd")}
    return GuardRecord.make(**(made | more))


def only(events: tuple[Event, ...]) -> ErrorReport:
    (event,) = events
    assert isinstance(event, ErrorReport)
    return event


def words(record: GuardRecord) -> str:
    return only(builder().take(record)).Description


def facts(event: Event) -> dict[str, object]:
    return dict(event.extra or {})


def test_a_signal_is_told_with_its_number_and_who_sent_it() -> None:
    report = only(builder().take(deed()))
    assert report.ID == "TAMPER"
    assert report.Description == f"signal SIGTERM (15) was sent to pysmon by {BY}"
    assert report.UtcTime == "2026-11-21 05:48:20.000"
    assert facts(report) == {
        "Deed": "signal",
        "Signal": 15,
        "FromKernel": False,
        "ProcessGuid": guid(CHILD),
        "ProcessId": 11,
        "Image": "/usr/bin/bash",
        "CommandLine": "-",
        "User": "joe",
        "ParentProcessGuid": guid(SHELL),
        "ParentProcessId": 10,
        "ParentImage": "/usr/sbin/sshd",
    }


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (deed(number=40), "signal 40 was sent to pysmon by"),
        (deed(number=9, code=-6 % 2**32), "signal SIGKILL (9) was sent to pysmon by"),
        (deed(number=2, code=KERNEL), "signal SIGINT (2) was sent to pysmon by the kernel, in the time of"),
        (deed(BPF, 13, object=7, code=PROGRAM), "a handle on pysmon's program 7 was asked for by"),
        (deed(BPF, 14, object=8, code=MAP), "a handle on pysmon's map 8 was asked for by"),
        (deed(BPF, 30, object=9, code=LINK), "a handle on pysmon's link 9 was asked for by"),
        (deed(TRACE, 101), "pysmon was attached to, as debuggers do, by"),
        (deed(READ, 310), "pysmon's memory was read by"),
        (deed(WRITE, 311), "pysmon's memory was written to by"),
        (deed(TAKE_DESCRIPTOR, 438), "a descriptor of pysmon was copied by"),
        (deed(OPEN_MEMORY, 257), "pysmon's memory was opened (/proc/PID/mem) by"),
        (deed(ACCESS, 425), "access to pysmon as debuggers have it was asked for by"),
        (deed(99, 425), "access to pysmon as debuggers have it was asked for by"),
    ],
)
def test_a_deed_is_told_in_words(record: GuardRecord, said: str) -> None:
    assert words(record) == f"{said} {BY}"


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (deed(BPF, 30, object=9, code=LINK), {"Deed": "bpf", "BpfCommand": 30, "BpfObject": "link 9"}),
        (deed(READ, 310), {"Deed": "process_vm_readv", "SystemCall": 310}),
        (deed(number=2, code=KERNEL), {"Deed": "signal", "Signal": 2, "FromKernel": True}),
    ],
)
def test_a_deed_is_told_as_facts(record: GuardRecord, told: dict[str, object]) -> None:
    assert told.items() <= facts(only(builder().take(record))).items()


def test_what_the_process_table_knows_of_the_culprit_is_told() -> None:
    made = builder()
    made.take(task(SHELL, "/usr/bin/zsh"))
    made.take(execute(CHILD, "/usr/bin/kill", b"kill\0-9\x005\0", by=SHELL))
    report = only(made.take(deed(image=components_of("/usr/bin/kill"))))
    assert report.Description.endswith("by /usr/bin/kill [11] of joe, started by /usr/bin/zsh [10]")
    assert {"CommandLine": "kill -9 5", "ParentImage": "/usr/bin/zsh", "ParentProcessGuid": guid(SHELL)}.items() <= (
        facts(report).items()
    )


def test_a_thread_of_the_kernel_has_no_program() -> None:
    said = words(deed(2, key=(2, 1, 0), image=b"", parent_image=b"", parent_tgid=0, uid=0, code=KERNEL))
    assert said.endswith("a thread of the kernel [2] of root")


MANAGER = (1, 0, 3)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (15, "pysmon was asked to stop (signal SIGTERM (15)) by the service manager"),
        (1, "pysmon was asked to read its configuration again (signal SIGHUP (1)) by the service manager"),
        (6, "pysmon was aborted (signal SIGABRT (6)), for it had not answered in time, by the service manager"),
        (9, "pysmon was killed (signal SIGKILL (9)) by the service manager"),
        (18, "pysmon was told to go on (signal SIGCONT (18)), as is everything that is to end, by the service manager"),
    ],
)
def test_what_the_service_manager_asks_is_told_as_what_it_is(number: int, said: str) -> None:
    report = only(builder().take(deed(number=number, key=MANAGER, uid=0, parent_tgid=0)))
    assert (report.ID, report.Description) == ("SERVICE", f"{said} /usr/bin/bash [1] of root")


@pytest.mark.parametrize(("number", "name"), [(1, "SERVICE"), (9, "TAMPER"), (15, "TAMPER")])
def test_a_child_of_the_service_manager_is_believed_to_ask_for_a_reload_and_nothing_else(
    number: int, name: str
) -> None:
    made = builder()
    made.take(task(MANAGER, "/usr/lib/systemd/systemd"))
    made.take(execute(CHILD, "/usr/bin/kill", by=MANAGER))
    report = only(made.take(deed(number=number, uid=0, image=components_of("/usr/bin/kill"))))
    assert (report.ID, facts(report)["ProcessGuid"]) == (name, guid(CHILD))
    assert report.Description.endswith("/usr/bin/kill [11] of root, started by /usr/lib/systemd/systemd [1]")


@pytest.mark.parametrize("record", [deed(number=12, key=MANAGER), deed(TRACE, 101, key=MANAGER)])
def test_what_the_service_manager_has_no_reason_for_is_told_as_of_anybody(record: GuardRecord) -> None:
    assert only(builder().take(record)).ID == "TAMPER"


def take(made: Builder, *records: GuardRecord) -> list[str]:
    return [only((event,)).Description for record in records for event in made.take(record)]


def test_the_same_deed_of_the_same_process_is_told_once_a_minute_with_how_often() -> None:
    made, first = builder(), f"signal SIGTERM (15) was sent to pysmon by {BY}"
    assert take(made, *(deed(time=NOW + i) for i in range(1000))) == [first]
    assert made.overdue(NOW + MINUTE - 1) == ()
    report = only(made.overdue(NOW + MINUTE))
    assert report.Description == f"{first}: 999 more times"
    assert facts(report)["Times"] == 999
    assert report.UtcTime == "2026-11-21 05:49:20.000"
    assert take(made, deed(time=NOW + MINUTE + 1)) == []
    assert only(made.overdue(NOW + 2 * MINUTE)).Description == f"{first}: 1 more time"
    assert made.overdue(NOW + 4 * MINUTE) == ()
    assert take(made, deed(time=NOW + 4 * MINUTE + 1)) == [first]


def test_what_is_overdue_is_told_by_the_next_deed_at_the_latest() -> None:
    made = builder()
    take(made, deed(), deed(time=NOW + 1))
    told = take(made, deed(TRACE, 101, time=NOW + MINUTE))
    assert [t.split(" by ")[0] for t in told] == [
        "signal SIGTERM (15) was sent to pysmon",
        "pysmon was attached to, as debuggers do,",
    ]
    assert told[0].endswith("1 more time")


def test_other_signals_and_other_processes_are_told_on_their_own() -> None:
    other = (11, 6 * SECOND, 3)
    assert len(take(builder(), deed(), deed(number=1), deed(TRACE, 101), deed(key=other))) == 4


def test_handles_on_many_objects_are_one_deed() -> None:
    records = [deed(BPF, 13, object=i, code=PROGRAM) for i in range(50)]
    assert len(take(builder(), *records, deed(BPF, 14, object=1, code=MAP))) == 1


def test_a_flood_of_many_processes_is_told_in_part_and_counted() -> None:
    made = builder()
    told = take(made, *(deed(key=(1000 + i, SECOND, 2), time=NOW + i) for i in range(500)))
    assert len(told) == 32
    report = only(made.overdue(NOW + MINUTE + 500))
    assert report.Description == (
        "468 more deeds against pysmon were not told one by one: there were too many in a minute"
    )
    assert facts(report) == {"Times": 468}
    assert made.overdue(NOW + 3 * MINUTE) == ()
    assert len(take(made, deed(time=NOW + 3 * MINUTE))) == 1


def test_a_configuration_cannot_keep_it_from_being_told() -> None:
    made = builder()
    made.want(())
    assert only(made.take(deed())).ID == "TAMPER"
    assert guid(CHILD) == MACHINE.process_guid(*CHILD)
