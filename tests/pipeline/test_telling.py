"""What is told of an output in events 255: failures, returns and losses, each when it matters and not each second."""

from __future__ import annotations

from dataclasses import replace

from pysmon.pipeline.lane import LaneState
from pysmon.pipeline.telling import EVERY, LOSS_EVERY, Telling

FINE = LaneState(
    name="out",
    found=0,
    put=9,
    queued=2,
    queued_bytes=1,
    spilled=3,
    spilled_bytes=1,
    written=4,
    lost=0,
    lost_at=None,
    trouble="",
    since=None,
)
BAD = replace(FINE, trouble="it is away", since=1)


def told(
    telling: Telling, state: LaneState, now: float, *remarks: str, disk: str = "", last: bool = False
) -> list[str]:
    return telling.of(state, remarks, disk, now, last=last)


def test_nothing_is_told_of_an_output_that_works() -> None:
    assert told(Telling(), FINE, 1.0) == []


def test_a_failure_is_told_once_and_so_is_its_end() -> None:
    telling = Telling()
    assert told(telling, BAD, 1.0) == ["out fails: it is away; 5 entries wait"]
    assert told(telling, replace(BAD, trouble="still away"), 100.0) == []
    assert told(telling, FINE, 101.0) == ["out works again; 5 entries wait, 0 were lost meanwhile"]


def test_a_failure_that_names_the_output_is_not_given_the_name_again() -> None:
    assert told(Telling(), replace(BAD, trouble="cannot write to out: no"), 1.0) == [
        "cannot write to out: no; 5 entries wait"
    ]


def test_an_output_that_comes_and_goes_is_not_told_each_time() -> None:
    telling = Telling()
    reports = [words for n in range(100) for words in told(telling, BAD if n % 2 else FINE, n / 10)]
    assert len(reports) == 2
    assert told(telling, BAD, EVERY + 1.0)


def test_losses_are_told_at_first_then_seldom_then_at_the_end_of_the_failure() -> None:
    telling = Telling()
    told(telling, BAD, 1.0)
    assert told(telling, replace(BAD, lost=5), 2.0) == ["5 entries for out lost"]
    assert told(telling, replace(BAD, lost=7), 3.0) == []
    lost = told(telling, replace(BAD, lost=9), 3.0 + LOSS_EVERY, disk="No space left on device")
    assert lost == ["4 entries for out lost; the disk took no more: No space left on device"]
    assert told(telling, replace(FINE, lost=10), 4.0 + LOSS_EVERY) == [
        "1 entry for out lost",
        "out works again; 5 entries wait, 10 were lost meanwhile",
    ]


def test_losses_without_a_failure_are_told_seldom_too() -> None:
    telling = Telling()
    assert told(telling, replace(FINE, lost=1), 1.0)
    assert told(telling, replace(FINE, lost=2), 2.0) == []
    assert told(telling, replace(FINE, lost=2), 2.0, last=True) == ["1 entry for out lost"]


def test_at_the_end_all_is_told() -> None:
    telling = Telling()
    told(telling, BAD, 1.0)
    told(telling, FINE, 2.0)
    assert told(telling, BAD, 3.0) == []
    assert told(telling, BAD, 3.0, last=True) == ["out fails: it is away; 5 entries wait"]


def test_remarks_are_told_with_the_name() -> None:
    assert told(Telling(), FINE, 1.0, "2 messages were cut") == ["out: 2 messages were cut"]
