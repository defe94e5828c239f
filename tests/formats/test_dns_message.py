"""Messages of the DNS: what is read of honest ones, and what becomes of the others."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sensor.own_dns import AAAA, CNAME, MX, PTR, SRV, TXT, A, alias, answered, ipv4, ipv6, name, question

from pysmon.formats.dns_message import DnsMessage, read_dns_message, type_name


def read(data: bytes) -> DnsMessage:
    found = read_dns_message(data)
    assert found is not None
    return found


def told(*answers: tuple[int, bytes]) -> list[str]:
    return [answer.text for answer in read(answered(question("a.example"), list(answers))).answers]


def test_a_question_is_read() -> None:
    made = read(question("www.Test.example", AAAA, 7))
    assert made == DnsMessage(7, False, False, 0, 0, "www.Test.example", AAAA, (), True)


def test_an_answer_is_read_with_its_question() -> None:
    made = read(answered(question("a.example"), [alias("b.example"), ipv4("192.0.2.1"), ipv6("2001:db8::1")]))
    assert (made.is_response, made.status, made.name, made.type, made.is_whole) == (True, 0, "a.example", A, True)
    assert [(a.name, a.type, a.text) for a in made.answers] == [
        ("a.example", CNAME, "b.example"),
        ("b.example", A, "192.0.2.1"),
        ("b.example", AAAA, "2001:db8::1"),
    ]


def test_status_operation_and_truncation_are_read() -> None:
    assert read(answered(question("a.example"), [], status=3)).status == 3
    assert read(answered(question("a.example"), [], truncated=True)).is_truncated
    assert read(question("a.example", flags=5 << 11)).operation == 5


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ((PTR, name("host.example")), "host.example"),
        ((MX, b"\0\x0a" + name("mx.example")), "mx.example"),
        ((SRV, bytes(6) + name("dc.example")), "dc.example"),
        ((6, name("ns.example") + name("hostmaster.example") + bytes(20)), "ns.example"),
        ((TXT, b"\x03abc\x02de"), "abcde"),
        ((TXT, b"\x03a;b\x04c d\\"), "a\\059bc\\032d\\092"),
        ((TXT, b"\x09short"), "short"),
        ((A, b"\1\2\3"), ""),
        ((65, b"\0\1\0"), ""),
    ],
    ids=lambda value: str(value)[:20],
)
def test_each_type_tells_what_leads_on(answer: tuple[int, bytes], text: str) -> None:
    assert told(answer) == [text]


def test_names_are_followed_back_to_where_they_stand() -> None:
    assert told((CNAME, b"\x03www\xc0\x0c")) == ["www.a.example"]
    assert told((CNAME, b"\xc0\x0e")) == ["example"]


def test_the_root_is_a_dot() -> None:
    assert read(question("")).name == "."


@pytest.mark.parametrize("target", [12, 13, 0x3FFF], ids=["to itself", "forward", "beyond the end"])
def test_a_pointer_that_leads_nowhere_is_no_question(target: int) -> None:
    assert read_dns_message(struct.pack(">6HH2H", 1, 0, 1, 0, 0, 0, 0xC000 | target, 1, 1)) is None


def test_two_pointers_that_lead_to_each_other_end() -> None:
    reply = answered(question("a.example"), [(CNAME, b"\0\0"), (CNAME, b"\0\0")])
    first, second = len(reply) - 16, len(reply) - 2
    there, back = struct.pack(">H", 0xC000 | second), struct.pack(">H", 0xC000 | first)
    made = read(reply[:first] + there + reply[first + 2 : second] + back)
    assert (made.answers, made.is_whole) == ((), False)


def test_a_name_that_is_too_long_is_none() -> None:
    label = b"\x3f" + b"a" * 63
    assert read_dns_message(question("a")[:12] + label * 4 + b"\0" + bytes(4)) is None
    assert len(read(question("a")[:12] + label * 3 + b"\0" + bytes(4)).name) == 191


def test_labels_of_no_known_kind_are_none() -> None:
    assert read_dns_message(question("a")[:12] + b"\x41a\0" + bytes(4)) is None


def test_a_message_without_a_question_is_none() -> None:
    assert read_dns_message(bytes(12)) is None
    assert read_dns_message(b"GET / HTTP/1.1\r\n\r\n") is None


def test_of_two_questions_the_first_is_told_and_the_answers_are_found() -> None:
    data = struct.pack(">6H", 1, 0x8180, 2, 1, 0, 0) + b"".join(name(n) + bytes([0, 1, 0, 1]) for n in ("a.b", "c.d"))
    made = read(data + struct.pack(">3HIH", 0xC00C, A, 1, 60, 4) + bytes([192, 0, 2, 1]))
    assert (made.name, made.answers[0].text) == ("a.b", "192.0.2.1")


@pytest.mark.parametrize("cut", range(1, 30))
def test_answers_that_break_off_leave_those_before_them(cut: int) -> None:
    made = read(answered(question("a.example"), [ipv4("192.0.2.1"), ipv4("192.0.2.2")])[:-cut])
    assert (len(made.answers), made.is_whole) == (1 if cut <= 16 else 0, False)


def test_no_more_answers_are_read_than_asked_for() -> None:
    data = answered(question("a.example"), [ipv4("192.0.2.1")] * 70)
    made = read_dns_message(data)
    assert made is not None
    assert (len(made.answers), made.is_whole) == (64, False)
    few = read_dns_message(data, answers=2)
    assert few is not None
    assert len(few.answers) == 2


def test_types_have_names() -> None:
    assert [type_name(kind) for kind in (A, AAAA, 65, 255, 65280)] == ["A", "AAAA", "HTTPS", "ANY", "TYPE65280"]


labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20)
names = st.lists(labels, min_size=1, max_size=6).map(".".join)
records = st.one_of(
    st.integers(0, 2**32 - 1).map(lambda n: ipv4(str(IPv4Address(n)))),
    st.integers(0, 2**128 - 1).map(lambda n: ipv6(str(IPv6Address(n)))),
    names.map(alias),
)


@given(names, st.integers(0, 65535), st.integers(0, 15), st.lists(records, max_size=20))
def test_what_is_written_is_read(asked: str, number: int, status: int, answers: list[tuple[int, bytes]]) -> None:
    made = read(answered(question(asked, A, number), answers, status=status))
    assert (made.name, made.id, made.status, made.is_whole) == (asked, number, status, True)
    assert [a.type for a in made.answers] == [kind for kind, _ in answers]
    assert all(a.text for a in made.answers)


def holds(data: bytes) -> None:
    """Texts are bounded, and nothing in them could be taken for the end of a result."""
    made = read_dns_message(data)
    if made is None:
        return
    texts = [made.name, *(a.name for a in made.answers), *(a.text for a in made.answers)]
    assert len(made.answers) <= 64
    assert all(len(text) <= 4 * 1024 for text in texts)
    assert not any(c in ";\\ \n\r\0" for text in texts for c in text.replace("\\", "")), texts
    assert all(text.isprintable() for text in texts)


@given(st.binary(max_size=600))
def test_noise_is_read_without_harm(data: bytes) -> None:
    holds(data)


@given(st.lists(records, max_size=8), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=10))
def test_a_damaged_message_is_read_without_harm(
    answers: list[tuple[int, bytes]], damage: list[tuple[int, int]]
) -> None:
    data = bytearray(answered(question("www.test.example"), answers))
    for place, octet in damage:
        data[place % len(data)] = octet
    holds(bytes(data))
