"""Names that a traced command asks name servers for, over every call that moves bytes, and what is no such question."""

from __future__ import annotations

import os
import shutil
import sys

import pytest
from tests.sensor.own_dns import own_dns
from tests.sensor.provoke import EVERYTHING, apart, extra, one
from tests.tracer.runs import as_nobody, of, seen

from pysmon.schema.catalogue import DnsQuery, NetworkConnect, ProcessCreate, ProcessTerminate
from pysmon.schema.event import Event

pytestmark = [
    pytest.mark.usefixtures("tracing"),
    pytest.mark.skipif(os.getuid() != 0, reason="a network of its own, with a server at port 53, takes root"),
]

BEGIN = """
import os, socket, struct, sys, threading
SERVER = ("127.0.0.1", 53)
def question(name, kind=1, number=0x1234):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)
def datagrams(*to):
    made = socket.socket(type=socket.SOCK_DGRAM)
    made.settimeout(60)
    for each in to:
        made.connect(each)
        made.setblocking(True)
    return made
WWW = question("www.test.example")
"""
WAYS = {
    "sendto": "s = datagrams(); s.sendto(WWW, SERVER); s.recvfrom(512)",
    "sendto, and who answers is not asked": "s = datagrams(); s.sendto(WWW, SERVER); s.recv(512)",
    "sendmsg": "s = datagrams(); s.sendmsg([WWW[:5], WWW[5:]], [], 0, SERVER);"
    "s.recvmsg_into([bytearray(7), bytearray(500)])",
    "send": "s = datagrams(SERVER); s.send(WWW); s.recv(512)",
    "write": "s = datagrams(SERVER); os.write(s.fileno(), WWW); os.read(s.fileno(), 512)",
    "writev": "s = datagrams(SERVER); os.writev(s.fileno(), [WWW[:20], WWW[20:]]);"
    "os.readv(s.fileno(), [bytearray(12), bytearray(500)])",
    "a look first": "s = datagrams(SERVER); s.send(WWW); s.recv(512, socket.MSG_PEEK); s.recv(512)",
    "a copy of the descriptor": "s = datagrams(SERVER); c = os.dup(s.fileno()); s.close();"
    "os.write(c, WWW); os.read(c, 512)",
}
THREADS = """
sockets, there, asked = [], threading.Event(), os.pipe()
def other():
    os.read(asked[0], 1)  # it waits in the kernel while the socket is made
    os.write(sockets[0].fileno(), WWW)
    os.read(sockets[0].fileno(), 512)
thread = threading.Thread(target=other)
thread.start()
sockets.append(datagrams(SERVER))
os.write(asked[1], b"x")
thread.join()
"""
INHERITED = """
s = datagrams(SERVER)
os.dup2(s.fileno(), 9)
program = f"import os; os.write(9, {WWW!r}); os.read(9, 512)"
os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", program])
"""
BY_A_CHILD = """
s = datagrams(SERVER)
if os.fork() == 0:
    os.write(s.fileno(), WWW); os.read(s.fileno(), 512)
else:
    os.wait()
"""
IN_VAIN = """
for name, seconds in (("silent.test.example", 0.3), ("nothing.example", 60)):
    s = datagrams()
    s.settimeout(seconds)
    s.sendto(question(name), SERVER)
    try: s.recv(512)
    except TimeoutError: pass
"""
BY_A_SHELL = r"""
exec 3<>/dev/udp/127.0.0.1/53
printf '\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\4test\7example\0\0\1\0\1' >&3
dd bs=512 count=1 <&3 > /dev/null 2>&1
"""
OVER_TCP = """
with socket.create_connection(SERVER) as s:
    data = question(sys.argv[1])
    os.writev(s.fileno(), [len(data).to_bytes(2, "big"), data])
    size = int.from_bytes(s.recv(2, socket.MSG_WAITALL), "big")
    s.recv(size, socket.MSG_WAITALL)
"""
NO_QUESTIONS = """
a, b = datagrams(), datagrams()
a.bind(("127.0.0.1", 5353)); b.sendto(WWW, a.getsockname()); a.recv(512)
x, y = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); x.send(WWW); y.recv(512)
s = datagrams(SERVER); was = s.fileno(); s.close()
f = os.open("/dev/null", os.O_RDWR); assert f == was; os.write(f, WWW)
s = datagrams(SERVER); os.write(f, WWW)
s.connect(("127.0.0.1", 5353)); os.write(s.fileno(), WWW)
for odd in (b"x", b"\\xff" * 100): datagrams(SERVER).send(odd)
"""
TOLD = ("www.test.example", "0", "::ffff:192.0.2.7;")
NOT_22 = """<Sysmon schemaversion="4.90"><EventFiltering><ProcessCreate onmatch="exclude"/>
<NetworkConnect onmatch="exclude"/></EventFiltering></Sysmon>"""


def asked(script: str, *arguments: str, rules: str = EVERYTHING) -> list[Event]:
    """The events of a script that is traced, in a network where a server for a few names answers."""

    def run() -> list[Event]:
        own_dns()
        os.chdir("/")
        events, status = seen([sys.executable, "-I", "-S", "-c", BEGIN + script, *arguments], rules=rules)
        assert status == 0
        return events

    return apart(run)


def told(events: list[Event]) -> list[tuple[str, str, str]]:
    return [(e.QueryName, e.QueryStatus, e.QueryResults) for e in of(events, DnsQuery)]


@pytest.mark.parametrize("way", WAYS)
def test_a_question_is_told_once_with_its_answer_whatever_calls_move_them(way: str) -> None:
    events = asked(WAYS[way])
    event, begin, end = one(of(events, DnsQuery)), one(of(events, ProcessCreate)), one(of(events, ProcessTerminate))
    assert told(events) == [TOLD]
    assert (event.ProcessId, event.ProcessGuid) == (begin.ProcessId, begin.ProcessGuid)
    assert (event.Image, event.User, event.RuleName) == (os.path.realpath(sys.executable), "root", "-")
    assert extra(event)["QuerySource"] == "packet"
    assert [extra(event)[name] for name in ("QueryType", "DnsServer", "Protocol")] == ["A", "127.0.0.1", "udp"]
    assert begin.UtcTime <= event.UtcTime <= end.UtcTime


def test_what_another_thread_does_with_the_socket_is_told() -> None:
    assert told(asked(THREADS)) == [TOLD]


def test_what_a_child_does_with_the_socket_is_told_of_the_child() -> None:
    events = asked(BY_A_CHILD)
    parent = one(of(events, ProcessCreate))
    assert told(events) == [TOLD]
    assert one(of(events, DnsQuery)).ProcessId not in (parent.ProcessId, 0)


def test_a_program_that_inherits_the_socket_is_told() -> None:
    events = asked(INHERITED)
    first, second = of(events, ProcessCreate)
    assert told(events) == [TOLD]
    assert one(of(events, DnsQuery)).ProcessGuid == second.ProcessGuid != first.ProcessGuid


def test_a_question_that_a_shell_asks_and_another_program_reads_is_told_of_both() -> None:
    bash, dd = shutil.which("bash"), shutil.which("dd")
    if not bash or not dd:
        pytest.skip("no bash, or no dd")

    def run() -> list[Event]:
        own_dns()
        return seen([bash, "-c", BY_A_SHELL])[0]

    found = {(os.path.basename(e.Image), e.QueryName, e.QueryStatus) for e in of(apart(run), DnsQuery)}
    assert found == {("bash", "www.test.example", "1460"), ("dd", "www.test.example", "0")}


def test_what_the_c_library_asks_is_told_question_by_question() -> None:
    events = asked("socket.getaddrinfo('alias.test.example', 80)")
    assert sorted(told(events)) == [
        ("alias.test.example", "0", "type:  5 www.test.example;2001:db8::7;"),
        ("alias.test.example", "0", "type:  5 www.test.example;::ffff:192.0.2.7;"),
    ]
    assert {extra(e)["QueryType"] for e in of(events, DnsQuery)} == {"A", "AAAA"}


def test_a_question_over_tcp_is_told() -> None:
    events = asked(OVER_TCP, "www.test.example")
    assert told(events) == [TOLD]
    assert extra(one(of(events, DnsQuery)))["Protocol"] == "tcp"


def test_an_answer_that_does_not_fit_is_told_once_it_came_over_tcp() -> None:
    events = asked("s = datagrams(SERVER); s.send(question(sys.argv[1])); s.recv(512)" + OVER_TCP, "big.test.example")
    event = one(of(events, DnsQuery))
    assert (event.QueryStatus, event.QueryResults.count(";"), extra(event)["Protocol"]) == ("0", 30, "tcp")


def test_questions_without_an_answer_and_of_names_that_do_not_exist_are_told() -> None:
    events = asked(IN_VAIN)
    assert sorted(told(events)) == [("nothing.example", "9003", "-"), ("silent.test.example", "1460", "-")]


def test_what_is_no_question_is_not_told() -> None:
    assert told(asked(NO_QUESTIONS)) == []


def test_a_user_without_privileges_sees_it_all_the_same() -> None:
    def run() -> list[Event]:
        own_dns()
        os.chdir("/")
        events: list[Event] = as_nobody(lambda: seen(["/bin/sh", "-c", "getent hosts www.test.example"]))[0]
        return events

    events = apart(run)
    assert ("www.test.example", "0", "2001:db8::7;") in told(events)
    assert {e.User for e in of(events, DnsQuery)} == {"nobody"}
    assert {os.path.basename(e.Image) for e in of(events, DnsQuery)} == {"getent"}


def test_where_no_rule_asks_for_names_the_connection_is_told_alone() -> None:
    events = asked(WAYS["send"] + ";" + WAYS["sendmsg"], rules=NOT_22)
    assert told(events) == []
    assert [(e.Protocol, e.DestinationPort) for e in of(events, NetworkConnect)] == [("udp", 53), ("udp", 53)]
