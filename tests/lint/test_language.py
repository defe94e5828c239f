"""A language knows exactly which conditions one of its texts can meet."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pysmon.schema.catalogue  # noqa: F401 - fills EVENTS
from pysmon.config.model import Condition
from pysmon.lint.domains import domain_of
from pysmon.lint.language import Language, Run, literal
from pysmon.rules.conditions import NEGATED, holds
from pysmon.schema.event import EVENTS

runs = st.builds(
    lambda letters, least, more: Run(letters, least, least + more),
    st.sampled_from(["a", "b", "ab"]),
    st.integers(0, 2),
    st.integers(0, 2),
)
sequences = st.lists(st.lists(runs, min_size=1, max_size=3), min_size=1, max_size=2)
ONE_TEXT = (Condition.IS, Condition.CONTAINS, Condition.BEGIN_WITH, Condition.END_WITH)


def members(all_sequences: list[list[Run]]) -> set[str]:
    """Every text of the language."""
    found = set()
    for sequence in all_sequences:
        parts = [
            ["".join(p) for size in range(run.least, run.most + 1) for p in product(run.characters, repeat=size)]
            for run in sequence
        ]
        found |= {"".join(pieces) for pieces in product(*parts)}
    return found - {""}


@given(made=sequences, condition=st.sampled_from(list(Condition)), value=st.text("aAb;", max_size=4))
@settings(max_examples=600, deadline=None)
def test_what_a_language_cannot_none_of_its_texts_can(made: list[list[Run]], condition: Condition, value: str) -> None:
    can = Language(made).can(condition, value)
    meets = any(holds(condition, value, text) for text in members(made))
    assert can or not meets
    if condition in ONE_TEXT and value:
        assert can == meets


DOMAINS = [
    (3, "DestinationPort", ["0", "443", "65535"], ["0443", "70000", "80-90", "https", "0x50"]),
    (3, "Initiated", ["true", "FALSE", "-"], ["yes", "1", ""]),
    (3, "DestinationIp", ["10.0.0.1", "0:0:0:0:0:0:0:1", "FE80:0:0:0:1:2:3:4"], ["::1", "10.0.0.0/8", "10.0.0"]),
    (3, "Protocol", ["tcp", "UDP"], ["TCP/IP", "6"]),
    (10, "GrantedAccess", ["0x1410", "0x0", "0x1FFFFF"], ["0x001410", "1410", "0x1fffff000"]),
    (1, "ProcessGuid", ["{c9eb4a87-4093-637f-789d-2406ab550000}"], ["c9eb4a87-4093-637f-789d-2406ab550000"]),
    (1, "UtcTime", ["2026-11-21 08:15:00.300"], ["2026-11-21"]),
    (1, "LogonId", ["0x3e7", "1000"], ["0x03e7"]),
    (
        1,
        "Hashes",
        [f"SHA1={'A' * 40},MD5={'0' * 32}", f"IMPHASH={'f' * 32}"],
        ["A" * 40, f"MD5={'0' * 32},SHA1={'A' * 40}"],
    ),
    (12, "EventType", ["CreateKey"], ["SetValue", "Create"]),
    (1, "IntegrityLevel", ["High", "no level"], ["Higher"]),
]


@pytest.mark.parametrize(
    ("event_id", "field", "fits", "not_"), DOMAINS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_values_of_a_field_are_known(event_id: int, field: str, fits: list[str], not_: list[str]) -> None:
    domain = domain_of(EVENTS[event_id], field, None)
    assert domain is not None
    assert [domain.language.can(Condition.IS, text) for text in fits] == [True] * len(fits)
    assert [domain.language.can(Condition.IS, text) for text in not_] == [False] * len(not_)


@pytest.mark.parametrize(
    ("condition", "value", "can"),
    [
        ("contains", "MD5=0123", True),
        ("contains", f"MD5={'0' * 33}", False),
        ("end with", f"MD5={'0' * 31}", False),
        ("begin with", "SHA1=", True),
        ("contains", "SHA512", False),
        ("contains all", "SHA1=;IMPHASH=", True),
        ("is any", "x;-", True),
    ],
)
def test_a_part_of_a_hash_is_told_from_what_is_none(condition: str, value: str, can: bool) -> None:
    domain = domain_of(EVENTS[1], "Hashes", None)
    assert domain is not None
    assert domain.language.can(Condition(condition), value) is can


def test_an_algorithm_that_is_not_selected_never_comes() -> None:
    domain = domain_of(EVENTS[1], "Hashes", ("MD5",))
    assert domain is not None
    assert domain.language.can(Condition.CONTAINS, "MD5=")
    assert not domain.language.can(Condition.CONTAINS, "SHA1=")


def test_a_literal_is_itself_in_any_case() -> None:
    assert Language([literal("Ab")]).has("ab")
    assert not any(Language([literal("Ab")]).can(condition, "x") for condition in ONE_TEXT if condition not in NEGATED)
