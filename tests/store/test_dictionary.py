"""Texts on their way into blocks, and found there again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.store.entries import TEXTS

from pysmon.store.blocks import Sought, number_of, probe, search, tag_of, texts_of_block
from pysmon.store.dictionary import Dictionary
from pysmon.store.query import Operator, holds
from pysmon.store.values import (
    decoded,
    encoded,
    guid_of_column,
    guid_to_column,
    guids_to_columns,
    number_to_column,
    numbers_to_columns,
    time_of_column,
    time_to_column,
    times_to_columns,
)

FIELDS = {"Image": 1, "User": 70}
POSITIVE: list[Operator] = ["is", "contains", "begin with", "end with", "less than", "more than"]
SAID = st.lists(st.tuples(st.sampled_from(sorted(FIELDS)), TEXTS), max_size=30)


def blocks_of(dictionary: Dictionary) -> dict[int, str]:
    return {first + n: t for first, block in dictionary.take_blocks() for n, t in enumerate(texts_of_block(block))}


@given(SAID)
def test_every_text_lies_under_its_number(said: list[tuple[str, str]]) -> None:
    dictionary = Dictionary(FIELDS, 1)
    numbers = [dictionary.number(field, text) for field, text in said]
    known = {0: "-", **blocks_of(dictionary)}
    assert [known[n] for n in numbers] == [text for _, text in said]


@given(SAID, st.sampled_from(POSITIVE), TEXTS, st.sampled_from([None, 1, 70]))
def test_a_search_finds_what_holds_and_nothing_else(
    said: list[tuple[str, str]], operator: Operator, value: str, field: int | None
) -> None:
    dictionary = Dictionary(FIELDS, 1)
    sought = Sought(operator, value, field)
    expected = {
        (FIELDS[name], number)
        for name, text in said
        if (number := dictionary.number(name, text)) and field in (None, FIELDS[name]) and holds(operator, text, value)
    }
    hits = search(dictionary.take_blocks(), [probe(sought)])[sought]
    assert {(of, number) for of, numbers in hits.items() for number in numbers} == expected


def test_a_block_that_is_short_goes_on_and_replaces_itself() -> None:
    dictionary = Dictionary(FIELDS, 1)
    dictionary.number("Image", "a")
    assert [first for first, _ in dictionary.take_blocks()] == [1]
    assert dictionary.take_blocks() == []
    dictionary.number("Image", "b")
    assert [(first, texts_of_block(block)) for first, block in dictionary.take_blocks()] == [(1, ["a", "b"])]


def test_a_block_that_is_long_enough_is_left_alone() -> None:
    dictionary = Dictionary(FIELDS, 1)
    dictionary.number("Image", "x" * 5000)
    dictionary.take_blocks()
    dictionary.number("Image", "b")
    assert [(first, texts_of_block(block)) for first, block in dictionary.take_blocks()] == [(2, ["b"])]


def test_no_block_grows_without_end() -> None:
    dictionary = Dictionary(FIELDS, 1)
    for number in range(5000):
        dictionary.number("Image", f"/tmp/{number}")
    blocks = dictionary.take_blocks()
    assert len(blocks) > 1
    assert max(len(block) for _, block in blocks) < 40_000


def test_segments_share_no_text_and_no_block() -> None:
    dictionary = Dictionary(FIELDS, 1)
    first = dictionary.number("Image", "a")
    dictionary.begin_segment()
    assert dictionary.number("Image", "a") != first
    assert [first for first, _ in dictionary.take_blocks()] == [1, 2]


def test_a_long_text_is_remembered_too_and_fields_are_kept_apart() -> None:
    dictionary = Dictionary(FIELDS, 1)
    assert dictionary.number("Image", "x" * 9000) == dictionary.number("Image", "x" * 9000)
    assert dictionary.number("Image", "y") != dictionary.number("User", "y")


def test_what_it_remembers_is_bounded() -> None:
    dictionary = Dictionary(FIELDS, 1)
    first = dictionary.number("Image", "/first")
    for number in range(3000):
        dictionary.number("Image", f"/tmp/{number}")
    assert dictionary.number("Image", "/first") != first


@given(st.integers(0, 4095))
def test_a_tag_tells_its_field_and_begins_no_text(number: int) -> None:
    assert number_of(tag_of(number)) == number
    assert all(0x80 <= byte < 0xC0 for byte in tag_of(number))


@given(TEXTS)
def test_texts_guids_and_times_come_back(text: str) -> None:
    assert decoded(encoded(text)) == text
    assert b"\xff" not in encoded(text)
    assert guid_of_column(guid_to_column(text)) == text
    assert time_of_column(time_to_column(text)) == text


GUIDS = st.uuids().map(lambda u: f"{{{u}}}")
TIMES = st.datetimes().map(lambda t: t.isoformat(" ", "milliseconds"))
ODD = TEXTS | st.sampled_from(
    ["", "-", "{}", "\n", "{b635b3db-35d9-6b01-d929-6d0000000000}\n", "2026-02-30 00:00:01.002"]
)
HUGE = st.none() | st.booleans() | st.integers(-(1 << 65), 1 << 65)


@given(st.lists(GUIDS | ODD, min_size=1) | st.lists(GUIDS, min_size=1))
def test_guids_become_together_what_each_becomes_alone(texts: list[str]) -> None:
    assert guids_to_columns(texts) == [guid_to_column(text) for text in texts]


def test_guids_that_only_together_look_like_guids_are_told_apart() -> None:
    whole = "{b635b3db-35d9-6b01-d929-6d0000000000}"
    for texts in ([whole[:20], whole[20:]], [f"{whole}\n{whole}", whole[:-1]], [whole.upper(), whole], [f"{whole}\n"]):
        assert guids_to_columns(texts) == [guid_to_column(text) for text in texts]


@given(st.lists(TIMES | ODD, min_size=1), st.integers(1, 3))
def test_times_become_together_what_each_becomes_alone(distinct: list[str], times: int) -> None:
    texts = distinct * times
    assert times_to_columns(texts) == [time_to_column(text) for text in texts]


@given(st.lists(HUGE, min_size=1))
def test_numbers_become_together_what_each_becomes_alone(numbers: list[int | None]) -> None:
    assert [*numbers_to_columns(numbers)] == [number_to_column(number) for number in numbers]


def test_usual_guids_and_times_are_small() -> None:
    assert len(guid_to_column("{b635b3db-35d9-6b01-d929-6d0000000000}")) == 16
    assert time_to_column("1970-01-01 00:00:01.002") == 1002
    assert time_to_column("2026-02-30 00:00:01.002") == b"2026-02-30 00:00:01.002"
