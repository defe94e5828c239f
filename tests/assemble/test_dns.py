"""Look-ups of the C library and messages to port 53, as events."""

from __future__ import annotations

import socket
import struct

import pytest
from tests.assemble.stage import CHILD, SECOND, SHELL, Key, builder, ended, execute, guid, head, task
from tests.sensor.own_dns import AAAA, TXT, A, alias, answered, ipv4, ipv6, question

from pysmon.assemble.builder import Builder
from pysmon.assemble.dns import is_address
from pysmon.assemble.questions import CALL_PATIENCE, PATIENCE
from pysmon.schema.catalogue import DnsQuery
from pysmon.sensor.records import GETADDRINFO, GETHOSTBYNAME, DnsMessageRecord, LookUpRecord

WWW = question("www.test.example")
TCP, UDP = 6, 17


def look_up(
    name: str = "www.test.example",
    *addresses: str,
    error: int = 0,
    canonical: str = "",
    call: int = GETADDRINFO,
    by: Key = CHILD,
    time: int = 10 * SECOND,
) -> LookUpRecord:
    octets = b"".join(
        struct.pack("<H16s", family, socket.inet_pton(family, text))
        for text in addresses
        for family in [socket.AF_INET6 if ":" in text else socket.AF_INET]
    )
    return LookUpRecord.make(
        **head(by, time),
        uid=1000,
        result=error & 0xFFFFFFFF,
        call=call,
        name=ended(name),
        canonical=ended(canonical) if canonical else b"",
        addresses=octets,
    )


def message(
    payload: bytes,
    *,
    sent: bool = False,
    called: bool = False,
    protocol: int = UDP,
    place: int = 77,
    by: Key = CHILD,
    time: int = 10 * SECOND,
) -> DnsMessageRecord:
    return DnsMessageRecord.make(
        **head(by, time),
        socket=place,
        server=bytes([127, 0, 0, 53]) + bytes(12),
        uid=1000,
        whole=len(payload),
        family=2,
        protocol=protocol,
        sent=int(sent),
        called=int(called),
        payload=payload,
    )


def stage() -> Builder:
    made = builder()
    made.take(task(SHELL, "/bin/sh"))
    made.take(execute(CHILD, "/usr/bin/curl", b"curl\0"))
    return made


def told(made: Builder, *records: LookUpRecord | DnsMessageRecord) -> list[DnsQuery]:
    events = [event for record in records for event in made.take(record)]
    assert all(isinstance(event, DnsQuery) for event in events)
    return [event for event in events if isinstance(event, DnsQuery)]


def of_framed(payload: bytes) -> bytes:
    return len(payload).to_bytes(2) + payload


def test_a_look_up_is_told_with_who_asked_and_the_answers() -> None:
    (event,) = told(stage(), look_up("www.test.example", "192.0.2.7", "2001:db8::7"))
    assert (event.Image, event.User, event.ProcessId, event.ProcessGuid) == (
        "/usr/bin/curl",
        "joe",
        CHILD[0],
        guid(CHILD),
    )
    assert (event.QueryName, event.QueryStatus) == ("www.test.example", "0")
    assert event.QueryResults == "::ffff:192.0.2.7;2001:db8::7;"
    assert event.UtcTime == "2026-11-21 05:46:50.000"
    assert event.extra == {"QuerySource": "libc", "Function": "getaddrinfo"}


@pytest.mark.parametrize(
    ("call", "error", "status"),
    [
        (GETADDRINFO, -2, "9003"),
        (GETADDRINFO, -3, "1460"),
        (GETADDRINFO, -4, "9002"),
        (GETADDRINFO, -5, "9501"),
        (GETADDRINFO, -11, "9002"),
        (GETHOSTBYNAME, 1, "9003"),
        (GETHOSTBYNAME, 2, "1460"),
        (GETHOSTBYNAME, 3, "9002"),
        (GETHOSTBYNAME, 4, "9501"),
    ],
)
def test_an_error_of_the_library_is_told_as_windows_numbers_it(call: int, error: int, status: str) -> None:
    (event,) = told(stage(), look_up(error=error, call=call))
    assert (event.QueryStatus, event.QueryResults) == (status, "-")
    assert (event.extra or {})["FunctionError"] == error


@pytest.mark.parametrize("error", [-1, -6, -7, -8])
def test_a_call_with_wrong_arguments_asks_for_nothing(error: int) -> None:
    assert told(stage(), look_up(error=error)) == []


@pytest.mark.parametrize("name", ["192.0.2.1", "127.1", "0x7f000001", "2001:db8::1", "::1", "fe80::1%eth0", "", "."])
def test_an_address_is_no_name(name: str) -> None:
    assert told(stage(), look_up(name, "192.0.2.1")) == []


@pytest.mark.parametrize("name", ["1.example", "a", "1.2.3.4 x", "1.2.3.4.5", "www\0x", "\udcff"])
def test_a_name_is_no_address(name: str) -> None:
    assert not is_address(name)


def test_the_dot_at_the_end_says_nothing() -> None:
    assert told(stage(), look_up("www.test.example."))[0].QueryName == "www.test.example"


def test_a_canonical_name_is_an_alias() -> None:
    (event,) = told(stage(), look_up("a.example", "192.0.2.7", canonical="b.example"))
    assert event.QueryResults == "type:  5 b.example;::ffff:192.0.2.7;"
    (event,) = told(stage(), look_up("a.example", "192.0.2.7", canonical="A.Example"))
    assert event.QueryResults == "::ffff:192.0.2.7;"


def test_the_messages_of_a_look_up_add_aliases_and_make_no_event() -> None:
    first, second = question("a.example", A), question("a.example", AAAA)
    (event,) = told(
        stage(),
        message(first, sent=True, called=True),
        message(second, sent=True, called=True),
        message(answered(first, [alias("b.example"), ipv4("192.0.2.7")]), called=True),
        message(answered(second, [alias("b.example")]), called=True),
        look_up("a.example", "192.0.2.7"),
    )
    assert event.QueryResults == "type:  5 b.example;::ffff:192.0.2.7;"


def test_the_messages_of_a_look_up_tell_why_it_failed() -> None:
    refused = answered(WWW, [], status=5)
    assert told(stage(), message(refused, called=True), look_up(error=-3))[0].QueryStatus == "9005"
    assert told(stage(), message(refused, called=True), look_up(error=-2))[0].QueryStatus == "9003"


def test_the_messages_of_one_thread_are_not_another_one_s() -> None:
    made = stage()
    other = message(answered(WWW, [], status=5), called=True)
    events = told(made, DnsMessageRecord.make(**(values(other) | {"tid": 99})), look_up(error=-3))
    assert events[0].QueryStatus == "1460"


def values(record: DnsMessageRecord) -> dict[str, int | bytes]:
    return dict(zip(record.layout.names, record, strict=True))


def test_a_look_up_that_never_ends_is_told_by_its_messages() -> None:
    made = stage()
    assert told(made, message(WWW, sent=True, called=True)) == []
    assert made.unanswered(10 * SECOND + CALL_PATIENCE - 1) == []
    ((event, _),) = made.unanswered(10 * SECOND + CALL_PATIENCE)
    assert isinstance(event, DnsQuery)
    assert (event.QueryName, event.QueryStatus, (event.extra or {})["QuerySource"]) == (
        "www.test.example",
        "1460",
        "packet",
    )


def test_a_question_is_told_with_its_answer() -> None:
    made = stage()
    assert told(made, message(WWW, sent=True)) == []
    (event,) = told(made, message(answered(WWW, [ipv4("192.0.2.7"), ipv6("::1")]), time=11 * SECOND))
    assert (event.QueryName, event.QueryStatus, event.QueryResults) == (
        "www.test.example",
        "0",
        "::ffff:192.0.2.7;::1;",
    )
    assert event.UtcTime == "2026-11-21 05:46:51.000"
    assert event.extra == {
        "QuerySource": "packet",
        "QueryType": "A",
        "DnsServer": "127.0.0.53",
        "Protocol": "udp",
    }
    assert made.unanswered(1 << 62, last=True) == []


def test_an_answer_is_told_although_its_question_was_not_seen() -> None:
    assert len(told(stage(), message(answered(WWW, [ipv4("192.0.2.7")])))) == 1


def test_an_answer_that_comes_twice_is_told_once() -> None:
    reply = message(answered(WWW, [ipv4("192.0.2.7")]))
    assert len(told(stage(), message(WWW, sent=True), reply, reply)) == 1


def test_a_question_that_is_asked_again_because_of_an_error_is_told_once_and_then_with_its_answer() -> None:
    made, failed = stage(), message(answered(WWW, [], status=2))
    (event,) = told(made, message(WWW, sent=True), failed, message(WWW, sent=True), failed)
    assert event.QueryStatus == "9002"
    (event,) = told(made, message(WWW, sent=True), message(answered(WWW, [ipv4("192.0.2.7")])))
    assert event.QueryStatus == "0"


def test_the_same_question_in_other_letters_is_answered() -> None:
    made = stage()
    told(made, message(question("wWw.TEST.example"), sent=True))
    assert len(told(made, message(answered(WWW, [ipv4("192.0.2.7")])))) == 1
    assert made.unanswered(1 << 62, last=True) == []


def test_a_question_that_is_sent_again_is_one_and_a_new_one_is_another() -> None:
    made = stage()
    told(made, message(WWW, sent=True), message(WWW, sent=True), message(WWW, sent=True, place=78))
    assert len(made.unanswered(0, last=True)) == 2


def test_a_question_without_an_answer_is_told_in_time() -> None:
    made = stage()
    told(made, message(WWW, sent=True))
    assert made.questions.due == 10 * SECOND + PATIENCE
    assert made.unanswered(made.questions.due - 1) == []
    ((event, record),) = made.unanswered(made.questions.due)
    assert isinstance(event, DnsQuery)
    assert (event.QueryStatus, event.QueryResults, event.UtcTime) == ("1460", "-", "2026-11-21 05:46:50.000")
    assert (event.Image, record.time) == ("/usr/bin/curl", 10 * SECOND)
    assert told(made, message(answered(WWW, [ipv4("192.0.2.7")]))) == []  # too late


def test_an_answer_to_another_process_or_question_is_not_this_one_s() -> None:
    made = stage()
    told(made, message(WWW, sent=True))
    told(made, message(answered(WWW, []), by=SHELL), message(answered(question("www.test.example", AAAA), [])))
    assert len(made.unanswered(0, last=True)) == 1


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (answered(WWW, []), "9501"),
        (answered(WWW, [], status=1), "9001"),
        (answered(WWW, [], status=2), "9002"),
        (answered(WWW, [], status=3), "9003"),
        (answered(WWW, [], status=5), "9005"),
        (answered(WWW, [], status=10), "9010"),
        (answered(WWW, [], status=11), "9002"),
        (answered(WWW, [ipv4("192.0.2.7")])[:-1], "9502"),
    ],
)
def test_the_status_of_an_answer_is_told_as_windows_numbers_it(reply: bytes, status: str) -> None:
    (event,) = told(stage(), message(reply))
    assert (event.QueryStatus, event.QueryResults) == (status, "-")


def test_other_types_are_told_by_their_number() -> None:
    asked = question("t.example", TXT)
    (event,) = told(stage(), message(answered(asked, [(TXT, b"\x03a;b"), (65, b"\0\1")])))
    assert event.QueryResults == "type:  16 a\\059b;type:  65;"
    assert (event.extra or {})["QueryType"] == "TXT"


def test_a_truncated_answer_waits_for_the_one_over_tcp() -> None:
    made = stage()
    assert told(made, message(WWW, sent=True), message(answered(WWW, [], truncated=True))) == []
    assert told(made, message(of_framed(WWW), sent=True, protocol=TCP, place=78)) == []
    (event,) = told(made, message(of_framed(answered(WWW, [ipv4("192.0.2.7")])), protocol=TCP, place=78))
    assert (event.QueryResults, (event.extra or {})["Protocol"]) == ("::ffff:192.0.2.7;", "tcp")
    assert made.unanswered(0, last=True) == []


def test_a_truncated_answer_that_is_not_asked_for_again_is_told() -> None:
    made = stage()
    told(made, message(WWW, sent=True), message(answered(WWW, [ipv4("192.0.2.7")], truncated=True)))
    ((event, _),) = made.unanswered(10 * SECOND + PATIENCE)
    assert isinstance(event, DnsQuery)
    assert (event.QueryStatus, event.QueryResults) == ("0", "::ffff:192.0.2.7;")
    assert (event.extra or {})["ResultsTruncated"] is True


@pytest.mark.parametrize(
    "record",
    [
        message(b"", sent=True),
        message(b"\xff" * 40, sent=True),
        message(b"GET / HTTP/1.1\r\n\r\n", sent=True),
        message(question("a", flags=5 << 11), sent=True),  # an update
        message(answered(WWW, []), sent=True),  # a server's answer to one that asks from port 53
        message(WWW),
    ],
    ids=["nothing", "noise", "another protocol", "an update", "an answer that is sent", "a question that is received"],
)
def test_what_is_no_question_and_no_answer_makes_no_event(record: DnsMessageRecord) -> None:
    made = stage()
    assert told(made, record) == []
    assert made.unanswered(0, last=True) == []


def test_nothing_is_built_unless_it_is_wanted() -> None:
    made = stage()
    made.want({1, 10})
    assert told(made, look_up(), message(WWW, sent=True), message(answered(WWW, []))) == []
    assert made.unanswered(0, last=True) == []
