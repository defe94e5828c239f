"""Facts that only JSON shows."""

from __future__ import annotations

from collections.abc import Mapping

from tests.assemble.stage import (
    CHILD,
    SECOND,
    SHELL,
    Key,
    builder,
    create,
    delete,
    execute,
    flow,
    fork,
    guid,
    leave,
    task,
    users,
)

from pysmon.assemble.builder import Builder
from pysmon.assemble.extras import facts_of
from pysmon.layout.record import Record
from pysmon.sensor.records import TaskRecord, components_of

RUN: Key = (11, 6 * SECOND, 3)
ID = "0123456789abcdef" * 4
CONTAINER = components_of(f"/system.slice/docker-{ID}.scope")
PLACE = {"ContainerId": ID, "ContainerRuntime": "docker", "CgroupPath": f"/system.slice/docker-{ID}.scope"}
PLAIN = {"PidNamespace": 0, "MountNamespace": 0}


def facts(record: Record, made: Builder | None = None) -> Mapping[str, object]:
    made = made or builder()
    made.take(record)
    return facts_of(record, made.processes, users())


def test_an_ordinary_program_has_its_namespaces_only() -> None:
    for filename in (b"/bin/x\0", b""):
        record = execute(RUN, "/bin/x", pid_namespace=4026531836, mount_namespace=4026531841, filename=filename)
        assert facts(record) == {"PidNamespace": 4026531836, "MountNamespace": 4026531841}


def test_what_is_out_of_the_ordinary_is_told() -> None:
    record = execute(
        RUN,
        "/bin/sh",
        b"cut",
        args_size=50_000,
        namespace_pid=7,
        euid=0,
        uid=1000,
        login_uid=1001,
        tty=b"pts3\0",
        root=components_of("/srv/jail"),
        filename=b"./script.sh\0",
    )
    assert facts(record) == PLAIN | {
        "NamespacePid": 7,
        "EffectiveUser": "root",
        "LoginUid": 1001,
        "LoginUser": "ann",
        "Terminal": "pts3",
        "Root": "/srv/jail",
        "Filename": "./script.sh",
        "CommandLineTruncated": 50_000,
    }


def test_a_creator_that_is_not_the_parent_is_told() -> None:
    made = builder()
    made.take(task((1, SECOND, 1), "/sbin/init"))
    made.take(task(SHELL, "/bin/bash"))
    made.take(fork(CHILD, SHELL))
    record = execute(RUN, "/bin/x", by=(1, SECOND, 2), made_by=SHELL)
    assert facts(record, made) == PLAIN | {
        "CreatorProcessGuid": guid(SHELL),
        "CreatorProcessId": 10,
        "CreatorImage": "/bin/bash",
    }
    stranger = execute(RUN, "/bin/x", by=(1, SECOND, 2), made_by=(99, 1, 1))
    assert facts(stranger, made) == PLAIN | {"CreatorProcessGuid": guid((99, 1, 1)), "CreatorProcessId": 99}
    assert facts(execute(RUN, "/bin/x", by=SHELL, made_by=SHELL), made) == PLAIN


def test_the_way_that_a_process_ended_is_told() -> None:
    assert facts(leave(RUN, code=7 << 8)) == {"ExitCode": 7}
    assert facts(leave(RUN)) == {"ExitCode": 0}
    assert facts(leave(RUN, code=11 | 0x80)) == {"Signal": 11}


def test_the_way_that_a_file_came_to_its_name_is_told() -> None:
    assert facts(create(RUN, "/a", how=1, mode=0o104755)) == {"How": "created", "Mode": "4755"}
    assert facts(create(RUN, "/a", how=2)) == {"How": "renamed"}
    assert facts(create(RUN, "/a", how=3)) == {"How": "linked"}
    assert facts(delete(RUN, "/a", links=2)) == {"LinksLeft": 1}
    assert facts(delete(RUN, "/a")) == {}


def test_every_event_of_a_container_names_it() -> None:
    made = builder()
    assert facts(execute(RUN, "/bin/x", cgroup_path=CONTAINER), made) == PLAIN | PLACE
    child: Key = (12, 9 * SECOND, 3)
    made.take(fork(child, RUN))
    assert facts(flow(child), made) == PLACE
    assert facts(create(child, "/a"), made) == {"How": "created"} | PLACE
    assert facts(delete(child, "/a"), made) == PLACE
    assert facts(leave(child), made) == {"ExitCode": 0} | PLACE


def test_records_without_events_have_no_facts() -> None:
    assert facts(task(SHELL, "/bin/sh")) == {}


def test_a_process_that_was_there_before_has_its_container_too() -> None:
    made = builder()
    made.take(
        TaskRecord.make(
            **dict(zip(TaskRecord.layout.names, task(SHELL, "/bin/sh"), strict=True)) | {"cgroup_path": CONTAINER}
        )
    )
    assert facts_of(leave(SHELL), made.processes, users()) == {"ExitCode": 0, **PLACE}
