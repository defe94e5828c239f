"""What the engine remembers is bounded, and forgetting changes nothing."""

from __future__ import annotations

from collections.abc import Callable

from pysmon.rules import memo
from pysmon.rules.memo import FieldMemo, Found, FoundMemo, VerdictMemo
from pysmon.rules.verdict import Verdict


def length_memo() -> FieldMemo:
    return FieldMemo(str, lambda: len)


def verdict_memo() -> VerdictMemo[Verdict]:
    return VerdictMemo((length_memo(), length_memo()), lambda hits, unknown: Verdict(bool(hits & 1), str(unknown)))


def test_a_field_forgets_rather_than_grow_without_end() -> None:
    field = length_memo()
    for n in range(memo._ENTRIES + 10):
        assert field[n].hits == len(str(n))
        assert len(field) <= memo._ENTRIES
    assert field[7].hits == 1


def test_outcomes_are_forgotten_too() -> None:
    field = FieldMemo(str, lambda: int)
    for n in range(memo._ENTRIES + 10):
        assert field[n].hits == n
    assert len(field._shared) <= memo._ENTRIES


def test_a_very_long_value_is_not_remembered_anywhere() -> None:
    verdicts = verdict_memo()
    long = "x" * (memo._LONGEST + 1)
    for _ in range(3):
        assert verdicts["a", long] == Verdict(True, "0")
    assert len(verdicts) == 0
    assert all(long not in field for field in verdicts.fields)


def test_values_with_one_outcome_share_it() -> None:
    field = length_memo()
    assert field["ab"] is field["cd"]
    assert field["ab"] is not field["abc"]


def test_none_is_a_value_unless_it_stands_for_something() -> None:
    assert length_memo()[None].hits == len("None")
    absent = Found(0, unknown=3)
    assert FieldMemo(str, lambda: len, absent)[None] is absent


def test_verdicts_are_remembered_once_their_values_are_known_and_forgotten_when_full() -> None:
    verdicts = verdict_memo()
    assert verdicts["a", "b"] == Verdict(True, "0")
    assert len(verdicts) == 0
    assert verdicts["a", "b"] == Verdict(True, "0")
    assert len(verdicts) == 1
    for n in range(150):
        for m in range(150):
            assert verdicts[n, m] == Verdict(bool((len(str(n)) | len(str(m))) & 1), "0")
    assert len(verdicts) <= memo._ENTRIES


def test_what_was_found_together_is_bounded_too() -> None:
    found = FoundMemo(lambda hits, unknown: Verdict(True, f"{hits} {unknown}"))
    for n in range(memo._ENTRIES + 10):
        assert found[Found(n), Found(0, n)] == Verdict(True, f"{n} {n}")
    assert len(found) <= memo._ENTRIES


def test_how_to_look_at_a_value_is_made_with_the_first_value_and_once() -> None:
    made: list[str] = []

    def make() -> Callable[[str], int]:
        made.append("made")
        return len

    field = FieldMemo(str, make)
    assert made == []
    assert [field[value].hits for value in ("a", "bc", "a")] == [1, 2, 1]
    assert made == ["made"]
