"""Which events of a rule are looked at whole, and for how many each of them stands."""

from __future__ import annotations

import pytest
from tests.formats.entries import create

from pysmon.formats.json_line import json_line
from pysmon.rules.ruling import Ruling
from pysmon.workbench.tally import AGAIN, EVERY, FIRST, Slot, Weighed


@pytest.mark.parametrize("first", [FIRST, AGAIN])
@pytest.mark.parametrize("events", [1, 2, 3, 31, 32, 33, 63, 64, 65, 128, 1000])
def test_the_first_events_are_looked_at_and_then_each_of_so_many(first: int, events: int) -> None:
    slot, entry, looked_at = Slot(Ruling((1, -1, -1, True, "-"), None)), create(), []
    for number in range(1, events + 1):
        slot.left -= 1
        if not slot.left:
            assert slot.look(entry, first) == entry.time
            looked_at.append(number)
        assert slot.weighed.events == number
    assert looked_at == [n for n in range(1, events + 1) if n <= first or n % EVERY == 0]
    weight = sum(1 if n <= first else EVERY for n in looked_at)
    assert slot.weighed == Weighed(events, weight * (len(json_line(entry)) + 1), weight)


def test_each_piece_of_a_log_begins_anew() -> None:
    slot, entry = Slot(Ruling((1, -1, -1, True, "-"), None)), create()
    for _ in range(2):
        for _ in range(40):
            slot.left -= 1
            if not slot.left:
                slot.look(entry, AGAIN)
        slot.end_piece()
    assert slot.weighed.events == 80
    assert slot.weighed.weight == 2 * AGAIN
