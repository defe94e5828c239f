"""PipeCreate and PipeConnect out of pipe records."""

from __future__ import annotations

import pytest
from tests.assemble.stage import CHILD, MACHINE, SECOND, SHELL, builder, ended, execute, guid, head, task, users

from pysmon.assemble.extras import facts_of
from pysmon.assemble.processes import Processes
from pysmon.schema.catalogue import PipeConnect, PipeCreate
from pysmon.sensor.records import (
    PIPE_FIFO,
    PIPE_MADE,
    PIPE_MET,
    PIPE_STREAM,
    PipeRecord,
    components_of,
)

PEER = {"peer_tgid": SHELL[0], "peer_start": SHELL[1], "peer_exec_id": SHELL[2]}


def pipe(deed: int, **values: int | bytes) -> PipeRecord:
    known: dict[str, int | bytes] = {"uid": 1000, "deed": deed, "sort": PIPE_FIFO}
    return PipeRecord.make(**(head(CHILD, 10 * SECOND) | known | values))


def told(record: PipeRecord) -> PipeCreate | PipeConnect:
    stage = builder()
    stage.take(execute(CHILD, "/usr/bin/mkfifo"))
    (event,) = stage.take(record)
    assert isinstance(event, PipeCreate | PipeConnect)
    return event


def test_a_pipe_that_is_made_is_told_by_its_path_with_who_made_it() -> None:
    event = told(pipe(PIPE_MADE, path=components_of("/run/x")))
    assert isinstance(event, PipeCreate)
    assert (event.EventType, event.PipeName, event.User) == ("CreatePipe", "/run/x", "joe")
    assert (event.ProcessGuid, event.ProcessId, event.Image) == (guid(CHILD), CHILD[0], "/usr/bin/mkfifo")
    assert event.UtcTime == "2026-11-21 05:46:50.000"


def test_who_comes_to_it_is_told_as_a_connection() -> None:
    event = told(pipe(PIPE_MET, path=components_of("/run/x")))
    assert isinstance(event, PipeConnect)
    assert (event.EventType, event.PipeName, event.Image) == ("ConnectPipe", "/run/x", "/usr/bin/mkfifo")


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"directory": components_of("/tmp"), "name": ended("a/../f")}, "/tmp/f"),
        ({"name": ended("/run/gone.sock")}, "/run/gone.sock"),
        ({"abstract": b"/tmp/.X11-unix/X0"}, "@/tmp/.X11-unix/X0"),
        ({"abstract": b"a\0b", "name": b"\0"}, "@a@b"),
        ({}, "-"),
    ],
)
def test_a_name_is_told_as_well_as_it_is_known(values: dict[str, bytes], name: str) -> None:
    assert told(pipe(PIPE_MADE, **values)).PipeName == name


def test_json_adds_what_it_is_and_the_other_end() -> None:
    processes = Processes(MACHINE)
    assert facts_of(pipe(PIPE_MET), processes, users()) == {"PipeType": "fifo"}
    stranger = facts_of(pipe(PIPE_MET, sort=PIPE_STREAM, **PEER), processes, users())
    assert stranger == {"PipeType": "unix stream", "PeerProcessGuid": guid(SHELL), "PeerProcessId": SHELL[0]}
    stage = builder()
    stage.take(task(SHELL, "/bin/sh"))
    assert facts_of(pipe(PIPE_MET, **PEER), stage.processes, users())["PeerImage"] == "/bin/sh"


@pytest.mark.parametrize(("deed", "its_own"), [(PIPE_MADE, 17), (PIPE_MET, 18)])
def test_only_the_event_that_is_wanted_is_built(deed: int, its_own: int) -> None:
    stage = builder()
    stage.want({17, 18} - {its_own})
    assert stage.take(pipe(deed)) == ()
    stage.want({its_own})
    assert len(stage.take(pipe(deed))) == 1
