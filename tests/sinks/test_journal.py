"""The journal: entries are found by their fields, also the large ones and those with lines in them."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

import pytest
from tests.formats.entries import any_event, create, entry
from tests.pipeline.outputs import until
from tests.sinks.daemons import Journald

from pysmon.formats.table import FORMATS
from pysmon.schema.event import EVENTS
from pysmon.sinks.journal import SOCKET, JournalSink
from pysmon.sinks.sink import WriteError

XML = FORMATS["xml"].render


def test_journald_finds_entries_by_their_fields(tmp_path: Path) -> None:
    daemon = Journald(tmp_path)
    sink = JournalSink(XML, daemon.socket)
    lines = "one\ntwo\n"
    sink.write([create(CommandLine=lines), create(Image="/bin/other"), entry(any_event(EVENTS[255]))])
    until(lambda: len(daemon.read().splitlines()) == 3)
    ask = ("-o", "cat", "--output-fields=SYSMON_COMMAND_LINE")
    assert daemon.ask(*ask, f"SYSMON_COMMAND_LINE={lines}") == lines.encode() + b"\n"
    assert len(daemon.ask("-o", "cat", "SYSMON_EVENT_ID=1", "SYSMON_IMAGE=/bin/other").splitlines()) == 1
    assert daemon.ask("-o", "cat", "-p", "err").splitlines() == [XML(entry(any_event(EVENTS[255])))]
    assert b" sysmon[" in daemon.ask("-o", "short", "-n", "1")
    sink.close()
    daemon.die()


def test_an_entry_larger_than_a_datagram_reaches_journald_whole(tmp_path: Path) -> None:
    daemon = Journald(tmp_path)
    sink = JournalSink(XML, daemon.socket)
    large = create(CommandLine="x" * 1_000_000)
    sink.write([large, create(CommandLine="after")])
    until(lambda: len(daemon.read().splitlines()) == 2)
    assert daemon.read().splitlines()[0] == XML(large)
    sink.close()
    daemon.die()


def test_a_large_entry_comes_as_a_file_that_nobody_can_change_any_more(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as far:
        far.bind(str(tmp_path / "socket"))
        descriptors = len(os.listdir("/proc/self/fd"))
        sink = JournalSink(XML, tmp_path / "socket")
        sink.write([create(CommandLine="x" * 1_000_000)])
        data, fds, _, _ = socket.recv_fds(far, 10, 1)
        assert data == b""
        assert fcntl.fcntl(fds[0], fcntl.F_GET_SEALS) & fcntl.F_SEAL_WRITE
        assert os.pread(fds[0], 8, 0) == b"MESSAGE="
        os.close(fds[0])
        sink.close()
        assert len(os.listdir("/proc/self/fd")) == descriptors


def test_a_machine_without_journald_is_told_and_does_not_stop_a_start(tmp_path: Path) -> None:
    sink = JournalSink(XML, tmp_path / "absent")
    with pytest.raises(WriteError, match=r"cannot send to journald .*absent: No such file") as told:
        sink.write([create()])
    assert told.value.written == 0
    assert "systemd-journald" in told.value.hint
    sink.reopen()
    sink.close()
    assert JournalSink(XML).name == "journald"
    assert str(SOCKET) == "/run/systemd/journal/socket"
