"""Syslog: heads and framing as receivers expect them, messages that are too long, connections that die."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.formats.entries import any_event, create, entry
from tests.pipeline.outputs import QUICK, until
from tests.sinks.certificates import Certificates, make_certificates
from tests.sinks.collectors import DatagramCollector, StreamCollector
from tests.sinks.daemons import Rsyslog

from pysmon.errors import MisuseError
from pysmon.formats.syslog import local_head, rfc5424_head
from pysmon.formats.table import FORMATS
from pysmon.pipeline.fanout import Fanout
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sinks.connection import Connection
from pysmon.sinks.sink import WriteError
from pysmon.sinks.syslog import LONGEST, Form, Framing, SyslogSink, Target
from pysmon.sinks.tls import tls_context

XML, JSON = FORMATS["xml"].render, FORMATS["json"].render


def sink_to(
    target: str,
    form: Form | None = None,
    framing: Framing | None = None,
    longest: int = LONGEST,
    patience: float = 60,
) -> SyslogSink:
    return SyslogSink(Target.parse(target), XML, form=form, framing=framing, longest=longest, patience=patience)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[DatagramCollector]:
    made = DatagramCollector(tmp_path / "log")
    yield made
    made.die()


@pytest.fixture
def tcp() -> Iterator[StreamCollector]:
    made = StreamCollector()
    yield made
    made.die()


@pytest.fixture
def udp() -> Iterator[DatagramCollector]:
    made = DatagramCollector()
    yield made
    made.die()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def numbered(count: int, size: int = 0) -> list[Entry[Event]]:
    return [create(CommandLine=f"number-{n:05} {'y' * size}") for n in range(count)]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("/dev/log", Target("unix", path="/dev/log")),
        ("udp://10.0.0.1", Target("udp", "10.0.0.1", 514)),
        ("tcp://log.example", Target("tcp", "log.example", 601)),
        ("tls://log.example:7000", Target("tls", "log.example", 7000)),
        ("tcp://[::1]:5000", Target("tcp", "::1", 5000)),
    ],
)
def test_places_are_named_as_people_write_them(text: str, target: Target) -> None:
    assert Target.parse(text) == target
    assert Target.parse(str(target)) == target


@pytest.mark.parametrize(
    "text", ["", "dev/log", "tcp:", "http://x", "tcp://", "udp://x:99999", "tcp://u@x", "tcp://x?y"]
)
def test_what_names_no_place_is_refused(text: str) -> None:
    with pytest.raises(MisuseError, match="no place for syslog"):
        Target.parse(text)


def test_to_the_local_daemon_goes_what_the_c_library_would_write(local: DatagramCollector) -> None:
    sink = sink_to(str(local.path))
    report = entry(any_event(EVENTS[255]))
    sink.write([create(), report])
    until(lambda: len(local.messages) == 2)
    assert local.messages == [local_head(e).encode() + XML(e) for e in (create(), report)]
    assert local.messages[1].startswith(b"<11>")
    sink.close()


def test_the_other_form_may_be_chosen_for_the_local_daemon(local: DatagramCollector) -> None:
    sink = sink_to(str(local.path), form="rfc5424")
    sink.write([create()])
    until(lambda: local.messages)
    assert local.messages == [rfc5424_head(create()).encode() + XML(create())]
    sink.close()


def test_a_message_that_is_too_long_is_cut_at_a_character_and_told(local: DatagramCollector) -> None:
    sink = sink_to(str(local.path), longest=2000)
    sink.write([create(CommandLine="é" * 3000), create()])
    until(lambda: len(local.messages) == 2)
    assert 1998 <= len(local.messages[0]) <= 2000
    assert local.messages[0].decode().endswith("é")
    assert sink.remarks() == ["1 messages were too long, and cut"]
    assert sink.remarks() == []
    sink.close()


def test_by_udp_a_message_is_cut_to_what_a_datagram_carries(udp: DatagramCollector) -> None:
    sink = sink_to(f"udp://127.0.0.1:{udp.port}", longest=1 << 20)
    sink.write([create(CommandLine="é" * 50_000), create(CommandLine="after")])
    until(lambda: len(udp.messages) == 2)
    assert 65_000 < len(udp.messages[0]) <= 65_507
    assert udp.messages[0].decode()
    assert b"after" in udp.messages[1]
    assert sink.remarks() == ["1 messages were too long, and cut"]
    sink.close()


def test_a_local_message_larger_than_the_kernel_takes_is_cut(local: DatagramCollector) -> None:
    sink = sink_to(str(local.path), longest=1 << 24)
    sink.write([create(CommandLine="x" * (1 << 22)), create(CommandLine="after")])
    until(lambda: len(local.messages) == 2)
    assert len(local.messages[0]) > 30_000
    assert b"after" in local.messages[1]
    assert sink.remarks()
    sink.close()


def test_a_host_that_says_that_nobody_listens_is_believed_before_entries_are_lost(udp: DatagramCollector) -> None:
    sink = sink_to(f"udp://127.0.0.1:{udp.port}")
    sink.write(numbered(3))
    until(lambda: len(udp.messages) == 3)
    udp.die()
    left = numbered(200)
    for _ in range(5):
        with pytest.raises(WriteError, match="Connection refused") as told:
            sink.write(left)
        left = left[told.value.written :]
    udp.come_back()
    sink.write(left)
    until(lambda: b"number-00199" in udp.messages[-1])
    assert len(udp.messages) >= 3 + 199, "all but what was on its way when it died"
    sink.close()


def test_a_stream_is_framed_by_lengths_so_that_nothing_in_a_message_matters(tcp: StreamCollector) -> None:
    sink = SyslogSink(Target.parse(f"tcp://127.0.0.1:{tcp.port}"), JSON)
    sink.write([create(CommandLine="12 <14>")])
    until(lambda: tcp.messages)
    assert tcp.messages == [rfc5424_head(create()).encode() + JSON(create(CommandLine="12 <14>"))]
    sink.close()
    tcp.die()
    assert tcp.torn == [b""]


def test_a_connection_that_dies_in_the_middle_of_a_message_tears_and_loses_none(tcp: StreamCollector) -> None:
    sink = sink_to(f"tcp://127.0.0.1:{tcp.port}", patience=1)
    left = numbered(400, 20_000)
    tcp.stall()
    with pytest.raises(WriteError, match="timed out") as told:
        sink.write(left)
    left = left[told.value.written :]
    assert left
    tcp.die()  # with what it had not read: that cannot be known here
    taken = len(tcp.messages)
    tcp.come_back()
    sink.write(left)
    sink.flush()
    until(lambda: tcp.messages and b"number-00399" in tcp.messages[-1])
    assert all(message.startswith(b"<14>1 ") and message.endswith(b"</Event>") for message in tcp.messages)
    again = [int(message.split(b"number-")[1][:5]) for message in tcp.messages[taken:]]
    assert again == list(range(again[0], 400)), "what was on its way comes again, in order"
    sink.close()


def test_what_was_acknowledged_is_not_sent_again(tcp: StreamCollector) -> None:
    sink = sink_to(f"tcp://127.0.0.1:{tcp.port}")
    sink.write(numbered(50))
    until(lambda: len(tcp.messages) == 50)
    way = sink._way
    assert isinstance(way, Connection)
    until(lambda: way.flush() is None and way.unacknowledged == 0)
    tcp.die()
    tcp.come_back()
    sink.write([create(CommandLine="after")])
    until(lambda: b"after" in tcp.messages[-1])
    assert len(tcp.messages) == 51
    sink.close()


def test_reopening_connects_anew(tcp: StreamCollector) -> None:
    sink = sink_to(f"tcp://127.0.0.1:{tcp.port}")
    sink.write(numbered(1))
    until(lambda: tcp.messages)
    sink.reopen()
    sink.write(numbered(1))
    until(lambda: tcp.connections == 2)
    sink.close()


def test_a_local_socket_of_the_other_kind_is_found_out(tmp_path: Path) -> None:
    far = StreamCollector(tmp_path / "log", octets=False)
    sink = sink_to(str(far.path))
    sink.write(numbered(3))
    until(lambda: len(far.messages) == 3)
    assert far.messages[0] == local_head(create()).encode() + XML(numbered(1)[0])
    sink.close()
    far.die()


@pytest.mark.parametrize("target", ["/nonexistent/log", "tcp://127.0.0.1:1", "tcp://no-such-host.invalid:1"])
def test_a_receiver_that_is_away_does_not_stop_a_start_and_is_told(target: str) -> None:
    sink = sink_to(target)
    with pytest.raises(WriteError, match=f"cannot send to syslog {target}") as told:
        sink.write(numbered(2))
    assert told.value.written == 0
    sink.flush()
    sink.close()


def test_by_tls_both_sides_prove_who_they_are(certificates: Certificates) -> None:
    far = StreamCollector(context=certificates.server_context(asks=True))
    context = partial(tls_context, ca=str(certificates.ca), certificate=str(certificates.client))
    target = Target.parse(f"tls://127.0.0.1:{far.port}")
    sink = SyslogSink(target, XML, context=context, server_name="localhost")
    sink.write(numbered(300, 2000))
    until(lambda: len(far.messages) == 300)
    sink.close()
    far.die()


@pytest.mark.parametrize(("ca", "name"), [(True, "other.example"), (False, "localhost")])
def test_a_collector_that_cannot_prove_who_it_is_gets_nothing(certificates: Certificates, ca: bool, name: str) -> None:
    far = StreamCollector(context=certificates.server_context())
    context = partial(tls_context, ca=str(certificates.ca) if ca else "")
    target = Target.parse(f"tls://127.0.0.1:{far.port}")
    sink = SyslogSink(target, XML, context=context, server_name=name)
    with pytest.raises(WriteError, match="the certificate is not trusted") as told:
        sink.write(numbered(1))
    assert "ca" in told.value.hint
    sink.close()
    unsafe = SyslogSink(target, XML, context=partial(tls_context, verify=False))
    unsafe.write(numbered(1))
    until(lambda: len(far.messages) == 1)
    unsafe.close()
    far.die()


def test_certificates_that_were_renewed_are_used_by_the_next_connection(
    certificates: Certificates, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    old, new = certificates, make_certificates(tmp_path / "new")
    ca, own = tmp_path / "ca.pem", tmp_path / "own.pem"
    ca.write_bytes(old.ca.read_bytes())
    own.write_bytes(old.client.read_bytes())
    far = StreamCollector(context=old.server_context(asks=True))
    context = partial(tls_context, ca=str(ca), certificate=str(own))
    sink = SyslogSink(Target.parse(f"tls://127.0.0.1:{far.port}"), XML, context=context)
    sink.write(numbered(1))
    until(lambda: len(far.messages) == 1)
    far.die()
    renewed = StreamCollector(context=new.server_context(asks=True))
    moved = SyslogSink(Target.parse(f"tls://127.0.0.1:{renewed.port}"), XML, context=context)
    with pytest.raises(WriteError, match="is not trusted"):
        moved.write(numbered(1))
    ca.write_bytes(new.ca.read_bytes())
    own.write_text("half of it")
    with pytest.raises(WriteError, match="cannot use") as told:
        moved.write(numbered(1))
    assert str(own) in str(told.value)
    own.write_bytes(new.client.read_bytes())
    moved.reopen()
    moved.write(numbered(1))
    until(lambda: len(renewed.messages) == 1)
    renewed.die()
    for each in (sink, moved):
        with suppress(WriteError):
            each.close()


def test_connections_leave_no_descriptor_behind(tcp: StreamCollector) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    sink = sink_to(f"tcp://127.0.0.1:{tcp.port}")
    for _ in range(5):
        sink.write(numbered(1))
        sink.reopen()
    for target in ("/nonexistent/log", "tcp://127.0.0.1:1"):
        with pytest.raises(WriteError):
            sink_to(target).write(numbered(1))
    sink.close()
    until(lambda: len(os.listdir("/proc/self/fd")) <= descriptors)


def test_rsyslogd_takes_the_bsd_form_apart_as_that_of_sysmon_for_linux(tmp_path: Path) -> None:
    daemon = Rsyslog(tmp_path)
    sinks = [
        sink_to(str(daemon.socket)),
        sink_to(f"udp://127.0.0.1:{daemon.udp}", form="bsd"),
        sink_to(f"tcp://127.0.0.1:{daemon.tcp}", form="bsd"),
        sink_to(f"tcp://127.0.0.1:{daemon.tcp}", form="bsd", framing="lines"),
    ]
    for sink in sinks:
        sink.write([create(), entry(any_event(EVENTS[255]))])
    until(lambda: daemon.whole().count(b"\n") == 8)
    hosts = {socket.gethostname().split(".")[0].encode(), b"vm", socket.gethostname().encode()}
    for line in daemon.whole().splitlines():
        severity, host, program, _ = line.split(b" ", 3)
        assert severity == (b"user.err" if b"<EventID>255<" in line else b"user.info")
        assert host in hosts
        assert program == b"sysmon[-]"
    assert set(daemon.read().splitlines()) == {b" " + XML(create()), b" " + XML(entry(any_event(EVENTS[255])))}
    for sink in sinks:
        sink.close()
    daemon.die()


def test_rsyslogd_takes_rfc_5424_apart(tmp_path: Path) -> None:
    daemon = Rsyslog(tmp_path)
    sinks = [sink_to(f"udp://127.0.0.1:{daemon.udp}"), sink_to(f"tcp://127.0.0.1:{daemon.tcp}")]
    for sink in sinks:
        sink.write([create(CommandLine="x" * 60_000)])
        sink.close()
    until(lambda: daemon.whole().count(b"\n") == 2)
    assert [line.split(b" ", 4)[:4] for line in daemon.whole().splitlines()] == [
        [b"user.info", b"vm", b"sysmon[157]", b"1"]
    ] * 2
    assert daemon.read().splitlines() == [XML(create(CommandLine="x" * 60_000))] * 2
    daemon.die()


def test_a_lane_to_an_rsyslogd_that_is_restarted_under_load_loses_nothing(tmp_path: Path) -> None:
    """By the local socket the kernel tells at once; what the daemon had in its own queue when it was killed is its."""
    (tmp_path / "daemon").mkdir()
    daemon = Rsyslog(tmp_path / "daemon")
    fanout = Fanout([(sink_to(str(daemon.socket)), replace(QUICK, entries=500))], tmp_path / "spill")
    total = 0
    for turn in range(6):
        for first in range(total, total + 200, 10):
            fanout.put([create(CommandLine=f"number-{n:05}") for n in range(first, first + 10)])
            until(lambda: fanout.states()[0].queued < 300)
        total += 200
        if turn % 2 == 0:
            until(partial(has_all, fanout, daemon, total))
            daemon.die()
        else:
            daemon.come_back()
    until(partial(has_all, fanout, daemon, total))
    fanout.close(5.0)
    state = fanout.states()[0]
    assert (state.put, state.written, state.lost, state.spilled) == (total, total, 0, 0)
    daemon.die()


def has_all(fanout: Fanout, daemon: Rsyslog, total: int) -> bool:
    text = daemon.read()
    return fanout.states()[0].written == total and all(b"number-%05d" % n in text for n in range(total))
