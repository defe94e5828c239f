"""What a run tells at its end, and the numbers of its entries."""

from __future__ import annotations

import pytest

from pysmon.assemble.service import error_report
from pysmon.pipeline.accounting import FamilyCount
from pysmon.pipeline.outcome import Journal, Outcome
from pysmon.schema.entry import Entry, Origin


def test_the_losses_of_a_run_are_those_of_all_families() -> None:
    families = {"process": FamilyCount(5, 2, 1, 2), "network": FamilyCount(3, 0, 0, 3)}
    assert Outcome({}, {}, families).lost == 5


@pytest.mark.parametrize("begin", [0, 7])
def test_a_journal_numbers_its_entries_one_by_one(begin: int) -> None:
    origin, event = Origin("host", 1, 2, 3), error_report(5, "QUEUE", "x")
    journal = Journal(origin, begin)
    assert [journal.entry(event, when) for when in (30, 20)] == [
        Entry(begin, 30, event, origin),
        Entry(begin + 1, 20, event, origin),
    ]


@pytest.mark.parametrize("count", [0, 1, 5])
def test_entries_of_a_batch_are_numbered_as_one_by_one(count: int) -> None:
    origin = Origin("host", 1, 2, 3)
    events, times = [error_report(n, "QUEUE", str(n)) for n in range(count)], list(range(50, 50 + count))
    single, together = Journal(origin, 7), Journal(origin, 7)
    made = together.entries(events, times)
    assert made == [single.entry(event, when) for event, when in zip(events, times, strict=True)]
    assert all(type(entry) is Entry for entry in made)
    assert together.number == single.number
