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
