"""ProcessCreate and ProcessTerminate out of records."""

from __future__ import annotations

import pytest
from tests.assemble.stage import (
    CHILD,
    MACHINE,
    SECOND,
    SHELL,
    Key,
    builder,
    execute,
    fork,
    guid,
    leave,
    task,
)

from pysmon.host.guid import NO_GUID
from pysmon.schema.catalogue import ProcessCreate, ProcessTerminate
from pysmon.sensor.records import ExecRecord, components_of

RUN: Key = (11, 6 * SECOND, 3)


def created(record: ExecRecord) -> ProcessCreate:
    made = builder()
    made.take(task(SHELL, "/usr/bin/bash", b"bash\0-l\0", uid=1000))
    event, *others = made.take(record)
    assert isinstance(event, ProcessCreate)
    assert bool(others) is not bool(record.links)
    return event


def test_every_field_of_a_new_process_is_filled() -> None:
    event = created(
        execute(
            RUN,
            "/usr/bin/curl",
            b"curl\0-s\0http://x/\0",
            directory=components_of("/opt/automation"),
            uid=1001,
            session=66,
            tty=b"pts1\0",
            time=9 * SECOND + 884_000_000,
        )
    )
    assert dict(zip((f.name for f in event.type.fields), event.texts(), strict=True)) == {
        "RuleName": "-",
        "UtcTime": "2026-11-21 05:46:49.884",
        "ProcessGuid": guid(RUN),
        "ProcessId": "11",
        "Image": "/usr/bin/curl",
        "FileVersion": "-",
        "Description": "-",
        "Product": "-",
        "Company": "-",
        "OriginalFileName": "-",
        "CommandLine": "curl -s http://x/",
        "CurrentDirectory": "/opt/automation",
        "User": "ann",
        "LogonGuid": MACHINE.logon_guid(1001, "pts1"),
        "LogonId": "1001",
        "TerminalSessionId": "66",
        "IntegrityLevel": "no level",
        "Hashes": "-",
        "ParentProcessGuid": guid(SHELL),
        "ParentProcessId": "10",
        "ParentImage": "/usr/bin/bash",
        "ParentCommandLine": "bash -l",
        "ParentUser": "joe",
    }
    assert event.extra is None


def test_a_user_id_is_not_cut_to_sixteen_bits() -> None:
    event = created(execute(RUN, "/bin/x", uid=100_000))
    assert (event.User, event.LogonId) == ("100000", "100000")


def test_the_root_directory_is_a_directory() -> None:
    assert created(execute(RUN, "/bin/x", directory=b"")).CurrentDirectory == "/"


def test_a_program_whose_file_is_gone_is_shown_as_deleted() -> None:
    assert created(execute(RUN, "/tmp/x", links=0)).Image == "/tmp/x (deleted)"
    assert created(execute(RUN, "memfd:evil", links=0)).Image == "/memfd:evil (deleted)"


def test_bytes_that_are_no_utf8_survive_as_surrogates() -> None:
    event = created(execute(RUN, "/tmp/\udcff", b"\xfe\0"))
    assert (event.Image, event.CommandLine) == ("/tmp/\udcff", "\udcfe")


def test_an_unknown_parent_has_its_guid_and_no_texts() -> None:
    stranger: Key = (77, 3 * SECOND, 8)
    event = created(execute(RUN, "/bin/x", by=stranger))
    assert (event.ParentProcessGuid, event.ParentProcessId) == (guid(stranger), 77)
    assert (event.ParentImage, event.ParentCommandLine, event.ParentUser) == ("-", "-", "-")


def test_the_first_process_has_no_parent() -> None:
    event = created(execute((1, SECOND, 1), "/sbin/init", by=(0, 0, 0)))
    assert (event.ParentProcessGuid, event.ParentProcessId) == (NO_GUID, 0)


def test_a_parent_that_forked_only_is_shown_as_what_its_own_parent_ran() -> None:
    made = builder()
    made.take(task(SHELL, "/usr/bin/bash", b"bash\0"))
    made.take(fork(CHILD, SHELL, uid=1001))
    grandchild: Key = (12, 8 * SECOND, 3)
    made.take(fork((12, 8 * SECOND, 2), CHILD))
    (event,) = made.take(execute(grandchild, "/bin/ls", by=CHILD, made_by=CHILD))
    assert isinstance(event, ProcessCreate)
    assert (event.ParentProcessGuid, event.ParentImage) == (guid(CHILD), "/usr/bin/bash")
    assert (event.ParentCommandLine, event.ParentUser) == ("bash", "ann")


def test_the_end_of_a_process_names_the_program_that_it_ran_last() -> None:
    made = builder()
    made.take(fork(CHILD, SHELL))
    made.take(execute(RUN, "/bin/ls"))
    (event,) = made.take(leave(RUN, uid=1000, time=11 * SECOND))
    assert isinstance(event, ProcessTerminate)
    assert event.texts() == ["-", "2026-11-21 05:46:51.000", guid(RUN), "11", "/bin/ls", "joe"]


@pytest.mark.parametrize("known", [True, False])
def test_an_end_that_the_kernel_tells_twice_is_told_once(known: bool) -> None:
    made = builder()
    made.want([1, 5])
    if known:
        made.take(execute(CHILD, "/usr/bin/true"))
    assert len(made.take(leave(CHILD))) == 1
    assert made.take(leave(CHILD)) == ()


def test_the_end_of_a_stranger_is_told_all_the_same() -> None:
    (event,) = builder().take(leave(RUN))
    assert isinstance(event, ProcessTerminate)
    assert (event.ProcessGuid, event.Image) == (guid(RUN), "<unknown process>")


def test_a_kernel_thread_has_no_image() -> None:
    made = builder()
    made.take(task((2, SECOND, 0), ""))
    (event,) = made.take(execute(RUN, "/sbin/modprobe", by=(2, SECOND, 0)))
    assert isinstance(event, ProcessCreate)
    assert (event.ParentProcessGuid, event.ParentImage, event.ParentCommandLine) == (guid((2, SECOND, 0)), "-", "-")
