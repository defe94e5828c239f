"""Questions to port 53 that programs ask by themselves, over every call that moves bytes, and the answers to them."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.sensor.compiled import compiled
from tests.sensor.own_dns import AAAA, TXT, A, answered, own_dns, question
from tests.sensor.own_network import own_network
from tests.sensor.provoke import PATIENCE, Stage, call, extra, hook, one, run

from pysmon.schema.catalogue import DnsQuery, ProcessTerminate
from pysmon.sensor.records import DnsMessageRecord

pytestmark = pytest.mark.vm

SERVER = ("127.0.0.1", 53)
WWW, WWW6 = question("www.test.example", A, 1), question("www.test.example", AAAA, 2)
TOLD = ("www.test.example", "0", "::ffff:192.0.2.7;")
ASKING = """
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void)
{
	static const char question[] = "\\x12\\x34\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\3www\\4test\\7example\\0\\0\\1\\0\\1";
	struct sockaddr_in server = { AF_INET, htons(53), { htonl(INADDR_LOOPBACK) }, { 0 } };
	char answer[512];
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	if (connect(s, (void *)&server, sizeof server) || write(s, question, sizeof question - 1) < 0)
		return 1;
	return read(s, answer, sizeof answer) < 12;
}
"""


def told(events: list[DnsQuery]) -> list[tuple[str, str, str]]:
    return [(e.QueryName, e.QueryStatus, e.QueryResults) for e in events]


def datagrams(*, connected: bool = False) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if connected:
        made.connect(SERVER)
    return made


def by_name() -> None:
    with datagrams() as made:
        made.sendto(WWW, SERVER)
        made.recvfrom(512)


def by_message() -> None:
    with datagrams() as made:
        made.sendmsg([WWW[:5], WWW[5:]], [], 0, SERVER)
        made.recvmsg_into([bytearray(7), bytearray(500)])


def by_send() -> None:
    with datagrams(connected=True) as made:
        made.send(WWW)
        made.recv(512)


def by_write() -> None:
    with datagrams(connected=True) as made:
        os.write(made.fileno(), WWW)
        os.read(made.fileno(), 512)


def by_vector() -> None:
    with datagrams(connected=True) as made:
        os.writev(made.fileno(), [WWW[:20], WWW[20:]])
        os.readv(made.fileno(), [bytearray(12), bytearray(500)])


def looks_first() -> None:
    with datagrams(connected=True) as made:
        made.send(WWW)
        made.recv(512, socket.MSG_PEEK)
        made.recv(512)


@pytest.mark.parametrize("act", [by_name, by_message, by_send, by_write, by_vector, looks_first])
def test_a_question_is_told_once_with_its_answer_whatever_calls_move_them(
    provoke: Stage, act: Callable[[], None]
) -> None:
    if act in (by_write, by_vector) and hook(provoke, "DNS messages") == "tracepoint":
        pytest.skip("the ends of read and write are not watched: all files have them")
    seen = provoke(act, before=own_dns)
    event, end = one(seen.of(DnsQuery)), one(seen.of(ProcessTerminate))
    assert told([event]) == [TOLD]
    assert (event.ProcessId, event.ProcessGuid) == (seen.pid, end.ProcessGuid)
    assert (event.Image, event.User, event.RuleName) == (os.path.realpath(sys.executable), "root", "-")
    facts = extra(event)
    assert (facts["QuerySource"], facts["QueryType"]) == ("packet", "A")
    assert (facts["DnsServer"], facts["Protocol"]) == ("127.0.0.1", "udp")
    assert event.UtcTime <= end.UtcTime
    assert len(seen.records_of(DnsMessageRecord)) == 2


class _Piece(ctypes.Structure):
    _fields_ = (("base", ctypes.c_char_p), ("size", ctypes.c_size_t))


def batch(*messages: bytes) -> tuple[ctypes.Array[ctypes.c_char], list[object]]:
    """A struct mmsghdr for each, with what must live as long."""
    pieces = [_Piece(ctypes.create_string_buffer(m, max(len(m), 512)).raw, len(m)) for m in messages]
    made = b"".join(struct.pack("<QQQQQQQQ", 0, 0, ctypes.addressof(p), 1, 0, 0, 0, 0) for p in pieces)
    return ctypes.create_string_buffer(made, len(made)), [pieces]


def test_questions_that_are_sent_at_once_are_told_each(provoke: Stage) -> None:
    def act() -> None:
        with datagrams(connected=True) as made:
            sent, _alive = batch(WWW, WWW6)
            assert call("sendmmsg", made.fileno(), sent, 2, 0) == 2
            room, _alive_too = batch(bytes(512), bytes(512))
            got = 0
            while got < 2:
                got += call("recvmmsg", made.fileno(), ctypes.byref(room, 64 * got), 1, 0, None)

    seen = provoke(act, before=own_dns)
    assert sorted(told(seen.of(DnsQuery))) == [("www.test.example", "0", "2001:db8::7;"), TOLD]


def test_a_static_program_is_told(provoke: Stage, tmp_path: Path) -> None:
    program = compiled(tmp_path, ASKING, "-static")
    if program is None:
        pytest.skip("no C compiler that links statically")
    if hook(provoke, "DNS messages") == "tracepoint":
        pytest.skip("the ends of read and write are not watched: all files have them")
    seen = provoke(lambda: run(program), before=own_dns, read=False)
    event = one(seen.of(DnsQuery))
    assert (seen.truth, event.Image) == (0, program)
    assert told([event]) == [TOLD]


def ask(data: bytes) -> None:
    """Ask, and wait for the answer: not for long if there will be none."""
    with datagrams(connected=True) as made:
        made.settimeout(0.3 if b"silent" in data else PATIENCE)
        made.send(data)
        with suppress(TimeoutError):
            made.recv(512)


@pytest.mark.parametrize(
    ("name", "kind", "status", "results"),
    [
        ("nothing.example", A, "9003", "-"),
        ("failing.test.example", A, "9002", "-"),
        ("refused.test.example", A, "9005", "-"),
        ("www.test.example", TXT, "9501", "-"),
        ("silent.test.example", A, "1460", "-"),
        ("text.test.example", TXT, "0", "type:  16 a\\032b\\059cxyz;"),
        ("mail.test.example", 15, "0", "type:  15 mx.test.example;"),
        ("alias.test.example", A, "0", "type:  5 www.test.example;::ffff:192.0.2.7;"),
    ],
)
def test_every_answer_has_its_status(provoke: Stage, name: str, kind: int, status: str, results: str) -> None:
    seen = provoke(lambda: ask(question(name, kind)), before=own_dns)
    assert told(seen.of(DnsQuery)) == [(name, status, results)]


def over_tcp(data: bytes, *, pieces: bool = False) -> bytes:
    with socket.create_connection(SERVER) as made:
        framed = len(data).to_bytes(2) + data
        if pieces:
            os.writev(made.fileno(), [framed[:2], framed[2:]])
        else:
            made.sendall(framed)
        size = int.from_bytes(made.recv(2, socket.MSG_WAITALL))
        return made.recv(size, socket.MSG_WAITALL)


def test_a_question_over_tcp_is_told(provoke: Stage) -> None:
    pieces = hook(provoke, "DNS messages") != "tracepoint"  # else writev is not watched: all files have it
    seen = provoke(lambda: [over_tcp(WWW), over_tcp(WWW6, pieces=pieces)], before=own_dns)
    first, second = seen.of(DnsQuery)
    assert told([first, second]) == [TOLD, ("www.test.example", "0", "2001:db8::7;")]
    assert extra(first)["Protocol"] == "tcp"


def test_an_answer_that_does_not_fit_is_told_once_it_came_over_tcp(provoke: Stage) -> None:
    big = question("big.test.example")

    def act() -> None:
        ask(big)
        over_tcp(big)

    seen = provoke(act, before=own_dns)
    event = one(seen.of(DnsQuery))
    assert (event.QueryStatus, event.QueryResults.count(";"), extra(event)["Protocol"]) == ("0", 30, "tcp")


def test_a_question_over_ipv6_is_told(provoke: Stage) -> None:
    def act() -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
            server.bind(("::1", 53))
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as made:
                made.sendto(WWW, ("::1", 53))
                asked, peer = server.recvfrom(512)
                server.sendto(answered(asked, []), peer)
                made.recvfrom(512)

    event = one(provoke(act, before=own_network).of(DnsQuery))
    assert (event.QueryStatus, extra(event)["DnsServer"]) == ("9501", "0:0:0:0:0:0:0:1")


def test_what_goes_to_other_ports_or_other_sockets_is_not_told(provoke: Stage) -> None:
    def act() -> None:
        with datagrams() as receiver, datagrams() as sender:
            receiver.bind(("127.0.0.1", 5353))
            sender.sendto(WWW, receiver.getsockname())
            _, peer = receiver.recvfrom(512)
            receiver.sendto(answered(WWW, []), peer)
            sender.recvfrom(512)
        one_end, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        one_end.send(WWW)
        other.recv(512)
        with (
            socket.create_server(("127.0.0.1", 5300)) as server,
            socket.create_connection(server.getsockname()) as made,
        ):
            made.sendall(WWW)
            server.accept()[0].recv(100)

    seen = provoke(act, before=own_dns)
    assert seen.records_of(DnsMessageRecord) == []
    assert seen.of(DnsQuery) == []


def test_the_server_s_side_is_not_told(provoke: Stage) -> None:
    """All that it gets comes from other ports than 53; its process is watched as well."""
    seen = provoke(by_send, before=own_dns)
    assert {r.sent for r in seen.records_of(DnsMessageRecord)} == {0, 1}
    assert len(seen.of(DnsQuery)) == 1


def test_what_is_no_question_makes_no_event(provoke: Stage) -> None:
    def act() -> None:
        with datagrams(connected=True) as made:
            for data in (b"", b"x", b"\xff" * 100, bytes(1400)):
                made.send(data)

    def before() -> None:
        own_network()
        server = datagrams()
        server.bind(SERVER)
        server.detach()

    seen = provoke(act, before=before)
    assert seen.of(DnsQuery) == []
    assert seen.families["dns"].seen == 3


def test_many_questions_are_all_told(provoke: Stage) -> None:
    def act() -> None:
        with datagrams(connected=True) as made:
            for number in range(2000):
                made.send(question("www.test.example", A, number))
                made.recv(512)

    seen = provoke(act, before=own_dns)
    assert told(seen.of(DnsQuery)) == [TOLD] * 2000
    count = seen.families["dns"]
    assert (count.seen, count.kept, count.lost) == (4000, 2000, 0)
