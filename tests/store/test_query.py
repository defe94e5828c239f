"""What can be asked: each operator, each bound, and the law that every short cut answers as the plain definition."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.formats.entries import any_event
from tests.store.entries import SECOND, START, TEXTS, created, entries, guid, made

from pysmon.errors import MisuseError
from pysmon.schema.catalogue import NetworkConnect
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.store.query import OPERATORS, Condition, Operator, Query, about, holds
from pysmon.store.store import Store
from pysmon.store.writer import Writer

FIELDS = sorted({f.name for schema in EVENTS.values() for f in schema.fields})


@pytest.fixture(name="writer")
def _writer(tmp_path: Path) -> Iterator[Writer]:
    made_here = Writer(tmp_path / "log")
    yield made_here
    made_here.close()


def found(writer: Writer, query: Query) -> list[int]:
    with Store(writer.path) as log:
        return [entry.record_id for entry in log.select(query)]


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("is", "/usr/BIN/bash", [1]),
        ("is not", "/usr/bin/bash", [2, 3, 4]),
        ("contains", "BIN/", [1, 2]),
        ("excludes", "bin", [3, 4]),
        ("begin with", "/USR", [1, 2]),
        ("not begin with", "/usr", [3, 4]),
        ("end with", "SH", [1]),
        ("not end with", "sh", [2, 3, 4]),
        ("less than", "/tmp/z", [3, 4]),
        ("more than", "/tmp/z", [1, 2]),
        ("is", "-", [4]),
        ("is not", "-", [1, 2, 3]),
        ("contains", "%", [3]),
        ("contains", "_", []),
    ],
)
def test_an_operator_compares_texts(writer: Writer, operator: Operator, value: str, expected: list[int]) -> None:
    images = ["/usr/bin/bash", "/usr/bin/python3.11", "/tmp/a%", "-"]
    writer.write([created(n, Image=image) for n, image in enumerate(images, 1)])
    assert found(writer, Query(conditions=(Condition("Image", operator, value),))) == expected


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("is", "80", [1]),
        ("is", "0x50", [1]),
        ("is not", "80", [2, 3]),
        ("less than", "443", [1]),
        ("more than", "80", [2, 3]),
        ("contains", "4", [2, 3]),
        ("begin with", "44", [2, 3]),
        ("is", "eighty", []),
    ],
)
def test_an_operator_compares_numbers(writer: Writer, operator: Operator, value: str, expected: list[int]) -> None:
    writer.write([made(n, 3, DestinationPort=port) for n, port in enumerate([80, 443, 4444], 1)])
    assert found(writer, Query(conditions=(Condition("DestinationPort", operator, value),))) == expected


def test_booleans_times_and_guids_are_compared_as_they_are_shown(writer: Writer) -> None:
    writer.write(
        [made(n, 3, Initiated=value, UtcTime=f"2026-11-2{n} 06:10:33.206") for n, value in enumerate([True, None], 1)]
    )
    assert found(writer, Query(conditions=(Condition("Initiated", "is", "TRUE"),))) == [1]
    assert found(writer, Query(conditions=(Condition("Initiated", "is", "-"),))) == [2]
    assert found(writer, Query(conditions=(Condition("UtcTime", "begin with", "2026-11-22"),))) == [2]
    assert found(writer, Query(conditions=(Condition("UtcTime", "less than", "2026-11-22"),))) == [1]
    assert found(writer, Query(conditions=(Condition("ProcessGuid", "contains", "B635B3DB"),))) == [1, 2]


def test_an_event_without_the_field_meets_no_condition_on_it(writer: Writer) -> None:
    writer.write([created(1), made(2, 4)])
    assert found(writer, Query(conditions=(Condition("Image", "is not", "x"),))) == [1]


def test_all_conditions_must_hold_and_one_of_the_others(writer: Writer) -> None:
    writer.write([created(n, Image=f"/bin/{n % 2}", User=f"user{n % 3}") for n in range(6)])
    image = Condition("Image", "is", "/bin/1")
    users = tuple(Condition("User", "is", f"user{n}") for n in (0, 1))
    assert found(writer, Query(conditions=(image,))) == [1, 3, 5]
    assert found(writer, Query(conditions=(image,), any_of=users)) == [1, 3]
    assert found(writer, Query(conditions=(image, users[0]))) == [3]


def test_bounds_of_time(writer: Writer) -> None:
    writer.write([made(n) for n in range(5)])
    assert found(writer, Query(since=START + SECOND, until=START + 3 * SECOND)) == [1, 2]


def test_a_clock_that_was_set_back_hides_nothing(writer: Writer) -> None:
    for number in (5, 1, 3):
        writer.write([made(number)])
    assert found(writer, Query(since=START + 2 * SECOND)) == [5, 3]


def test_bounds_of_position(writer: Writer) -> None:
    writer.write([made(n) for n in (11, 12, 13, 14)])
    assert found(writer, Query(after=1, upto=3)) == [12, 13]


def test_ids_record_ids_order_and_limit(writer: Writer) -> None:
    writer.write([made(n, 5 if n % 2 else 3) for n in range(6)])
    assert found(writer, Query(ids=frozenset([5]))) == [1, 3, 5]
    assert found(writer, Query(record_ids=frozenset([2, 3, 77]))) == [2, 3]
    assert found(writer, Query(order="newest first", limit=2)) == [5, 4]
    assert found(writer, Query(limit=0)) == []


def test_entries_come_in_order_over_types_and_pages(writer: Writer) -> None:
    numbers = list(range(6000))
    writer.write([made(n, (1, 3, 5, 255)[n * 7 % 4]) for n in numbers])
    assert found(writer, Query()) == numbers
    assert found(writer, Query(order="newest first")) == numbers[::-1]


def test_processes_are_found_in_every_field_that_names_one_but_not_as_parents(writer: Writer) -> None:
    accessed = made(3, 10, SourceProcessGUID=guid(1), TargetProcessGUID=guid(2))
    writer.write([created(1), created(2, parent=1), accessed, made(4, 5, ProcessGuid=guid(2)), made(5, 5)])
    assert found(writer, Query(processes=frozenset([guid(1)]))) == [1, 3]
    assert found(writer, Query(processes=frozenset([guid(1), guid(2)]))) == [1, 2, 3, 4]
    assert found(writer, Query(parents=frozenset([guid(1)]))) == [2]


@pytest.mark.parametrize("odd", [guid(1).upper(), "\ud800", "-", "\0"])
def test_a_process_is_found_by_a_guid_that_is_not_written_in_the_usual_form(writer: Writer, odd: str) -> None:
    writer.write([created(1, ProcessGuid=odd), created(2)])
    assert found(writer, Query(processes=frozenset([odd]))) == [1]
    assert found(writer, Query(processes=frozenset([odd, guid(2).upper()]))) == [1, 2]
    assert found(writer, Query(conditions=(Condition("ProcessGuid", "is", odd),))) == [1]
    assert 2 not in found(writer, Query(text=odd))


def test_text_is_sought_in_all_fields_and_extra_facts(writer: Writer) -> None:
    with_extra = created(3)
    with_extra.event.extra = {"Unit": "evil.service"}
    writer.write([created(1, User="Evil"), created(2, CommandLine="x --EVIL"), with_extra, made(4, 3)])
    assert found(writer, Query(text="evil")) == [1, 2, 3]


def test_text_may_be_a_whole_number_or_a_whole_guid(writer: Writer) -> None:
    writer.write([created(1, ProcessId=4711), created(2, ProcessId=47110), created(3, CommandLine="port 4711")])
    assert found(writer, Query(text="4711")) == [1, 3]
    assert found(writer, Query(text=guid(2).upper())) == [2]


@pytest.mark.parametrize(
    ("subject", "value", "expected"),
    [
        ("domain", "EVIL.example", [1, 2]),
        ("ip", "203.0.113.66", [1, 4]),
        ("ip", "fe80::1", [5]),
        ("ip", "fe80:0:0:0:0:0:0:1", [5]),
        ("ip", "not an address", []),
        ("file", "/tmp/a.sh", [6, 8]),
        ("file", "a.sh", [6, 7, 8]),
        ("hash", "abcdef", [8]),
    ],
)
def test_who_had_to_do_with_a_subject(writer: Writer, subject: str, value: str, expected: list[int]) -> None:
    writer.write(
        [
            made(1, 22, QueryName="evil.example", QueryResults="::ffff:203.0.113.66;"),
            made(2, 22, QueryName="cdn.evil.example", QueryResults="::ffff:203.0.113.6;"),
            made(3, 22, QueryName="notevil.example", QueryResults="-"),
            made(4, 3, DestinationIp="203.0.113.66"),
            made(5, 3, SourceIp="fe80:0:0:0:0:0:0:1"),
            made(6, 11, TargetFilename="/tmp/a.sh"),
            made(7, 11, TargetFilename="/home/a.sh"),
            created(8, Image="/tmp/a.sh", Hashes="SHA256=ABCDEF"),
        ]
    )
    with Store(writer.path) as log:
        assert [e.record_id for e in log.find(subject, value)] == expected  # type: ignore[arg-type]


def test_unknown_words_are_refused() -> None:
    with pytest.raises(MisuseError, match="Imag"):
        Condition("Imag", "is", "x")
    with pytest.raises(MisuseError, match="operator"):
        Condition("Image", "like", "x")  # type: ignore[arg-type]


def expected_of(written: list[Entry[Event]], condition: Condition) -> list[Entry[Event]]:
    """The plain definition, number fields compared by value."""
    return [e for e in written if e.event.type.field(condition.field) and _meets(e.event, condition)]


def _meets(event: Event, condition: Condition) -> bool:
    known = event.type.field(condition.field)
    assert known is not None
    shown = event.text(condition.field)
    if known.kind.in_type.startswith("win:UInt") and condition.positive in ("is", "less than", "more than"):
        try:
            ours, theirs = int(shown), int(condition.value, 0)
        except ValueError:
            return holds(condition.operator, shown, condition.value)
        found_so = {"is": ours == theirs, "less than": ours < theirs, "more than": ours > theirs}[condition.positive]
        return found_so != condition.negated
    return holds(condition.operator, shown, condition.value)


def test_every_short_cut_answers_as_the_plain_definition(writer: Writer) -> None:
    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(entries(), min_size=1, max_size=8),
        st.sampled_from(OPERATORS),
        st.data(),
    )
    def agrees(written: list[Entry[Event]], operator: Operator, data: st.DataObject) -> None:
        before = writer.end
        writer.write(written)
        event = data.draw(st.sampled_from(written)).event
        field = data.draw(st.sampled_from([f.name for f in event.type.fields]))
        shown = event.text(field)
        value = data.draw(st.sampled_from([shown, shown[:2], shown[-2:], shown.swapcase()]) | TEXTS)
        condition = Condition(field, operator, value)
        with Store(writer.path) as log:
            assert list(log.select(Query(conditions=(condition,), after=before))) == expected_of(written, condition)
            assert list(log.select(Query(any_of=(condition,), after=before))) == expected_of(written, condition)

    agrees()


@given(st.sampled_from(OPERATORS), TEXTS, TEXTS)
def test_letters_count_the_same_in_either_case(operator: Operator, text: str, value: str) -> None:
    upper = "".join(c.upper() if c.isascii() else c for c in text)
    assert holds(operator, text, value) == holds(operator, upper, value)


def test_a_subject_names_only_fields_that_there_are() -> None:
    assert {c.field for s in ("domain", "ip", "file", "hash") for c in about(s, "1.2.3.4")} <= set(FIELDS)
    assert any_event(NetworkConnect.type).text("SourceIp") == "-"
