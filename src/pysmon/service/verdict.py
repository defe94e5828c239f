"""Is the service healthy? What is wrong is derived from its status, each with what would help."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pysmon.pipeline.lane import LaneState
from pysmon.service.finding import Finding, Level, gravest_first
from pysmon.service.status import FamilyState, HookState, Status
from pysmon.views.words import span

RECENT = 3_600_000_000_000  # ns: a loss is wrong for so long, and a remark after that
REMEMBERED = 24 * RECENT  # ns: so long is a remark what happened once
_BLIND = "`pysmon doctor` tells what this kernel lacks"
_RESTART = "a restart attaches it again; if it comes back blind, please report it with the output of `pysmon doctor`"
_SLOW = "more happens than pysmon can read: let rules exclude what comes most, or give it more processor time"
_DEFECT = "this is a defect of pysmon: please report it with the output of `pysmon status --json`"


def verdict(status: Status) -> list[Finding]:
    """What is wrong, the worst first; among it, for a day, what happened to the service. Nothing is of level ok."""
    found = [*_remembered(status), *_canary(status)]
    for hook in status.hooks:
        found += _hook(hook)
    found += _lacks(status)
    for family in status.families:
        found += _family(family, status.taken)
    for output in status.outputs:
        found += _output(output, status.taken)
    if status.reconciliation is not None and not status.reconciliation.exact:
        found.append(Finding("bad", "books", status.reconciliation.report, _DEFECT))
    return gravest_first(finding for finding in found if finding.level != "ok")


def is_healthy(status: Status) -> bool:
    """Is nothing wrong? Remarks do not count."""
    return all(finding.level != "bad" for finding in verdict(status))


def _remembered(status: Status) -> Iterator[Finding]:
    """What happened once, the newest first; the log has it when it is too long ago to be wrong now."""
    for finding in reversed(status.findings):
        if finding.when is None:
            yield finding
        elif (ago := max(status.taken - finding.when, 0)) < REMEMBERED:
            yield replace(finding, text=f"{finding.text}, {span(ago)} ago")


def _hook(hook: HookState) -> Iterator[Finding]:
    if hook.state in ("blind", "lacking"):
        reasons = f": {'; '.join(hook.refusals)}" if hook.refusals else ""
        level: Level = "bad" if hook.state == "blind" else "warn"
        yield Finding(level, hook.ability, f"nothing is seen of it, no hook works here{reasons}", _BLIND)


def _lacks(status: Status) -> Iterator[Finding]:
    """What no hook is to blame for: those speak for themselves."""
    hooks = {hook.ability for hook in status.hooks}
    for lack in status.lacks:
        if not hooks.issuperset(lack.abilities):
            events = f"{'event' if len(lack.events) == 1 else 'events'} {', '.join(map(str, lack.events))}"
            text = f"{events} {'will lack something' if lack.made else 'cannot be made'}: {lack.reason}"
            yield Finding("warn", ", ".join(lack.abilities), text, lack.remedy or _BLIND)


def _canary(status: Status) -> Iterator[Finding]:
    canary = status.canary
    if canary is None:
        return
    if not canary.ended:
        text = "it did not come to its end: what the sensor sees is not proved"
        yield Finding("warn", "canary", text, "is the machine short of processes or memory?")
        return
    hooks = {hook.ability: hook.hook for hook in status.hooks}
    for ability in canary.blind:
        hook = hooks.get(ability) or "no hook"
        yield Finding("bad", ability, f"the canary did it and the sensor did not tell ({hook})", _RESTART)


def _family(family: FamilyState, now: int) -> Iterator[Finding]:
    if family.lost:
        text = f"{family.lost:,} records were lost{_last(family.lost_at, now)}: events are missing"
        remedy = _DEFECT if family.unreadable == family.lost else _SLOW
        yield Finding(_gravity(family.lost_at, now), family.name, text, remedy)
    if not family.exact:
        text = (
            f"{family.seen:,} seen, but {family.kept:,} kept, {family.filtered:,} filtered, "
            f"{family.pushed_down:,} pushed down, {family.lost:,} lost, {family.in_flight:,} in flight"
        )
        yield Finding("bad", family.name, text, _DEFECT)


def _output(output: LaneState, now: int) -> Iterator[Finding]:
    if output.trouble:
        rests = f", for {span(now - output.since)}" if output.since is not None else ""
        waiting = output.queued + output.spilled
        remedy = f"it goes on by itself when that is put right; {waiting:,} entries wait for it"
        yield Finding("bad", output.name, f"the output rests{rests}: {output.trouble}", remedy)
    if output.lost:
        text = f"{output.lost:,} entries are missing from the output{_last(output.lost_at, now)}"
        remedy = "let more of them wait on the disk (`spill` in pysmon.toml); the event log may have them"
        yield Finding(_gravity(output.lost_at, now), output.name, text, remedy)


def _last(moment: int | None, now: int) -> str:
    return f", the last of them {span(now - moment)} ago" if moment is not None else ""


def _gravity(moment: int | None, now: int) -> Level:
    """A loss whose moment is not known may be of now."""
    return "bad" if moment is None or now - moment < RECENT else "warn"
