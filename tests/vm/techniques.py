"""Techniques of attackers on a stock machine that the service watches by its own rules: which events tell of each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.techniques.technique import Finding, Judge, Technique, names_it, rows, techniques
from tests.vm.guest import BROUGHT, Step, events, note, run, sh, status, unit, until

PATIENCE = 60.0  # s for all events of a technique to be written
STAGES = Path("/var/tmp")
_PATIENT = "[Service]\nTimeoutStartSec=900\nWatchdogSec=600\n"  # emulated on a busy machine, all takes its time


def the_service_is_installed() -> None:
    """From the package, with the configuration that comes with it."""
    dropped = Path("/etc/systemd/system/pysmon.service.d/patient.conf")
    dropped.parent.mkdir()
    dropped.write_text(_PATIENT)
    sh("dpkg", "-i", str(max(BROUGHT.glob("*.deb"))), patience=900)
    sh("pysmon", "-accepteula", "-i", patience=900)
    assert unit("ActiveState") == "active"
    until("a canary", lambda: status()["canary"])
    note(f"kernel {sh('uname', '-r').out.strip()}, configuration {status()['configuration']['name']}")


def nothing_was_lost() -> None:
    """Whatever was told, it was all that happened; and how much of it the rules kept, by number of the event."""
    kept = Counter(entry["EventID"] for entry in events())
    note("events kept: " + ", ".join(f"{number}: {count}" for number, count in sorted(kept.items())))
    assert not any(family["lost"] for family in status()["families"]), status()["families"]


def step_of(technique: Technique) -> Step:
    """Do it in a shell, and ask the log until it has the story, or has had the time to."""

    def step() -> None:
        stage = STAGES / technique.name
        stage.mkdir()
        sh("sh", str(technique.script(stage)))
        judge, end = Judge(technique, stage, ask), time.monotonic() + PATIENCE
        while _missing(findings := judge.findings(shipped=True)) and time.monotonic() < end:
            time.sleep(1)
        note("\n".join(rows(technique, findings)))
        for finding in findings:
            if finding.missing:  # what there is of that kind instead
                note(ask(["log", "--tag", finding.told.event, "--last", "3", "--format", "json"]))
        assert not _missing(findings), "not all of its events are there"
        assert names_it(technique, findings), f"no rule that kept them is named after {technique.attack}"
        assert judge.leads_to_the_shell(), f"pysmon who {' '.join(technique.who)} does not name its shell"

    step.__name__ = f"{technique.attack} {technique.name}"
    return step


def ask(words: Sequence[str]) -> str:
    """What pysmon answers; that it found nothing is an answer, too."""
    done = sh("pysmon", *words, code=None)
    assert done.code in (0, 1), done.both
    return done.out


def _missing(findings: Sequence[Finding]) -> bool:
    return any(finding.missing for finding in findings)


def main(arguments: list[str]) -> None:
    """The arguments are names of techniques; without, all are done."""
    chosen = [technique for technique in techniques() if not arguments or technique.name in arguments]
    run([[the_service_is_installed, *map(step_of, chosen), nothing_was_lost]])
