"""The tally tells what there was, in words, and stays small whatever a log holds."""

from __future__ import annotations

from pysmon.sources.source import Tally


def filled() -> Tally:
    tally = Tally(entries=3)
    for _ in range(2):
        tally.other("Security")
    tally.unknown_event(77)
    tally.unknown_field(1, "Odd")
    tally.odd_value(3, "SourcePort")
    for number in range(4):
        tally.damage(f"line {number}", "no JSON")
    return tally


def test_everything_is_told() -> None:
    assert Tally(entries=9).words() == []
    assert filled().words() == [
        "2 events of other channels (Security: 2)",
        "1 event of Sysmon with unknown ids (77: 1)",
        "1 unknown fields, kept as extra facts (Odd in event 1: 1)",
        "1 values of another kind, kept as extra facts (SourcePort in event 3: 1)",
        "damaged at 4 places (line 0: no JSON; line 1: no JSON; line 2: no JSON; ...)",
    ]


def test_tallies_are_added_up() -> None:
    sum_ = Tally()
    sum_.add(filled())
    sum_.add(filled())
    assert (sum_.entries, sum_.damages, len(sum_.damaged), sum_.others["Security"]) == (6, 8, 8, 4)


def test_a_hostile_log_does_not_fill_the_memory() -> None:
    tally = Tally()
    for number in range(5000):
        tally.other(f"channel {number}")
        tally.unknown_field(1, "x" * 1000 + str(number))
        tally.damage("line", "why")
    assert len(tally.others) <= 1001
    assert tally.others.total() == 5000
    assert len(tally.unknown_fields) == 1
    assert (len(tally.damaged), tally.damages) == (100, 5000)
