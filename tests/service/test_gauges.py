"""What is followed over time: rates, and when something was lost last."""

from __future__ import annotations

from pysmon.pipeline.accounting import Books, FamilyCount
from pysmon.service.gauges import Gauges

SECOND = 1_000_000_000


def books(seen: int, lost: int = 0, unreadable: int = 0) -> Books:
    return Books({}, {}, {"process": FamilyCount(seen, 1, seen - lost - 3, lost)}, {"process": unreadable})


def test_a_family_is_told_with_its_rates_and_what_is_in_flight() -> None:
    gauges = Gauges(0)
    for second in range(1, 21):
        gauges.note(books(10 * second), second * SECOND, 0)
    (family,) = gauges.families(books(200), 20 * SECOND)
    assert (family.name, family.seen, family.kept, family.filtered, family.lost) == ("process", 200, 1, 197, 0)
    assert family.in_flight == 2
    assert family.exact
    assert (family.rates.ten_seconds, family.rates.since_start) == (10, 10)
    assert family.lost_at is None


def test_the_moment_of_the_last_loss_is_kept() -> None:
    gauges = Gauges(0)
    for wall, lost in ((100, 0), (200, 1), (300, 1), (400, 5), (500, 5)):
        gauges.note(books(50, lost), wall, wall)
    (family,) = gauges.families(books(50, 5, unreadable=2), 600)
    assert (family.lost, family.lost_at, family.unreadable) == (5, 400, 2)


def test_before_anything_was_noted_there_are_no_rates() -> None:
    (family,) = Gauges(0).families(books(10), SECOND)
    assert family.rates.since_start == 0
