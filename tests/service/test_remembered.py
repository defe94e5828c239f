"""What a status remembers of the events 255 that went by."""

from __future__ import annotations

from tests.formats.entries import ORIGIN, create

from pysmon.assemble.service import error_report
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.service.remembered import EACH, Remembered

NOW = 1_795_240_000_000_000_000


def entry(error: str, words: str, when: int = NOW) -> Entry[Event]:
    return Entry(1, when, error_report(when, error, words), ORIGIN)


def texts(remembered: Remembered) -> list[str]:
    return [finding.text for finding in remembered.findings]


def test_an_error_report_is_a_finding_of_its_moment() -> None:
    made = Remembered()
    made.note([create(), entry("TAMPER", "it was signalled")])
    (found,) = made.findings
    assert (found.level, found.about, found.text, found.when) == ("warn", "tamper", "it was signalled", NOW)


def test_what_a_status_tells_elsewhere_and_what_is_fine_is_left_out() -> None:
    made = Remembered()
    elsewhere = ("CANARY", "CAPABILITY", "OUTPUT", "QUEUE", "RECONCILIATION")
    made.note([entry(error, "x") for error in (*elsewhere, "SERVICE", "CONFIG")])
    assert [finding.about for finding in made.findings] == ["config"]


def test_what_comes_again_is_told_once_with_its_last_moment() -> None:
    made = Remembered()
    made.note([entry("TAMPER", "a"), entry("TAMPER", "b", NOW + 1), entry("TAMPER", "a", NOW + 2)])
    assert [(f.text, f.when) for f in made.findings] == [("b", NOW + 1), ("a", NOW + 2)]


def test_a_flood_of_one_kind_pushes_out_no_other() -> None:
    made = Remembered()
    made.note([entry("CONFIG", "refused"), *(entry("TAMPER", f"deed {n}") for n in range(100))])
    assert texts(made) == ["refused", *(f"deed {n}" for n in range(100 - EACH, 100))]
