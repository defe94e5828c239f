"""Some members of a record: the same as of the whole one."""

from __future__ import annotations

import struct

import pytest
from tests.assemble.stage import CHILD, SHELL, execute, flow, fork

from pysmon.layout.selection import head_of, span_of
from pysmon.sensor.records import ExecRecord, FlowRecord, ForkRecord


def test_the_head_gives_the_members_that_were_asked_for_in_the_order_of_the_layout() -> None:
    record = execute(CHILD, "/usr/bin/ls", b"ls\0-l\0", uid=1000)
    read = head_of(ExecRecord, "uid", "tgid", "args", "time").unpack_from
    assert read(record.encode()) == (record.time, record.tgid, record.uid, len(record.args))


def test_a_head_that_breaks_off_is_not_read() -> None:
    with pytest.raises(struct.error):
        head_of(ForkRecord, "time").unpack_from(fork(CHILD, SHELL).encode()[:-1])


def test_a_member_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="ForkRecord has no member args"):
        head_of(ForkRecord, "uid", "args")


def test_a_span_is_where_members_lie_from_one_to_another() -> None:
    record = flow(CHILD, source=bytes(range(16)), destination=bytes(range(16, 32)), uid=0x01020304)
    assert record.encode()[span_of(FlowRecord, "source", "uid")] == bytes([*range(32), 4, 3, 2, 1])


def test_a_span_of_what_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="args"):
        span_of(FlowRecord, "args", "uid")
