"""Program records: BPF programs by the words of linux/bpf.h."""

from __future__ import annotations

import pytest
from tests.assemble.stage import CHILD, SECOND, SHELL, builder, ended, execute, guid, head, task

from pysmon.schema.catalogue import EbpfEvent
from pysmon.sensor.records import ProgramRecord


def program(**values: int | bytes) -> ProgramRecord:
    known: dict[str, int | bytes] = {"command": 5, "type": 2, "id": 7, "uid": 1000, "name": ended("probe")}
    return ProgramRecord.make(**(head(CHILD, 10 * SECOND) | known | values))


def told(record: ProgramRecord) -> EbpfEvent:
    stage = builder()
    stage.take(task(SHELL, "/bin/sh"))
    stage.take(execute(CHILD, "/sbin/bpftool", b"bpftool\0"))
    (event,) = stage.take(record)
    assert isinstance(event, EbpfEvent)
    return event


def test_a_loaded_program_is_told_with_who_loaded_it() -> None:
    event = told(program())
    assert (event.ProcessGuid, event.ProcessId, event.Image) == (guid(CHILD), CHILD[0], "/sbin/bpftool")
    assert (event.User, event.UtcTime) == ("joe", "2026-11-21 05:46:50.000")
    assert (event.BpfCommand, event.BpfProgramType, event.BpfProgramId) == ("BPF_PROG_LOAD", "KPROBE", 7)
    assert event.BpfProgramName == "probe"


@pytest.mark.parametrize(
    ("number", "name"), [(0, "UNSPEC"), (17, "RAW_TRACEPOINT"), (26, "TRACING"), (32, "NETFILTER"), (33, "33")]
)
def test_a_type_has_its_name_or_its_number(number: int, name: str) -> None:
    assert told(program(type=number)).BpfProgramType == name


@pytest.mark.parametrize(
    ("number", "name"),
    [(8, "BPF_PROG_ATTACH"), (17, "BPF_RAW_TRACEPOINT_OPEN"), (28, "BPF_LINK_CREATE"), (99, "99")],
)
def test_a_command_has_its_name_or_its_number(number: int, name: str) -> None:
    assert told(program(command=number)).BpfCommand == name


def test_no_name_is_a_dash() -> None:
    assert told(program(name=b"\0")).BpfProgramName == told(program(name=b"")).BpfProgramName == "-"


def test_nothing_is_built_unless_it_is_wanted() -> None:
    stage = builder()
    stage.want({1, 10})
    assert stage.take(program()) == ()
