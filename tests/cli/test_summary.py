"""The summary at the end of a run."""

from __future__ import annotations

from pysmon.cli.summary import summary
from pysmon.pipeline.accounting import FamilyCount
from pysmon.pipeline.outcome import Outcome


def test_words_stand_left_and_numbers_right() -> None:
    outcome = Outcome(kept={1: 5, 100: 12}, filtered={1: 1000}, families={"process": FamilyCount(1017, 17, 1000, 0)})
    assert summary(outcome, {}) == (
        " id  event          kept  filtered\n"
        "  1  ProcessCreate     5      1000\n"
        "100  EbpfEvent        12         0\n"
        "records  seen  kept  filtered  pushed down  lost\n"
        "process  1017    17      1000            0     0\n"
    )


def test_what_was_lost_is_said_in_words() -> None:
    outcome = Outcome(kept={}, filtered={}, families={"process": FamilyCount(9, 1, 1, 7)})
    assert "7 records were lost" in summary(outcome, {})


def test_what_could_not_be_written_is_said_by_output() -> None:
    outcome = Outcome(kept={}, filtered={}, families={})
    assert summary(outcome, {"/var/log/x": 3, "y": 0}).endswith("3 events could not be written to /var/log/x\n")


def test_families_of_which_nothing_came_are_left_out() -> None:
    nothing = FamilyCount(0, 0, 0, 0)
    outcome = Outcome(kept={}, filtered={}, families={"process": FamilyCount(1, 1, 0, 0), "guard": nothing})
    table = "records  seen  kept  filtered  pushed down  lost\nprocess     1     1         0            0     0\n"
    assert summary(outcome, {}) == table
    assert summary(Outcome(kept={}, filtered={}, families={"guard": nothing}), {}) == "no records came\n"


def test_what_was_asked_for_and_could_not_be_had_is_said() -> None:
    outcome = Outcome(
        kept={}, filtered={}, families={}, lacks=("event 27 is asked for and cannot be made: no fanotify",)
    )
    assert summary(outcome, {}).endswith("not watched here: event 27 is asked for and cannot be made: no fanotify\n")
