"""The status as a page for people: what is wrong, what runs, what it sees, where it goes, and the verdict last."""

from __future__ import annotations

from collections.abc import Iterator

from pysmon.formats.describe import Piece, Style
from pysmon.formats.visible import visible
from pysmon.service.finding import Finding, told
from pysmon.service.status import HookState, LogState, Status
from pysmon.service.verdict import verdict
from pysmon.views.columns import columns
from pysmon.views.words import Line, moment, size, span

_EMPTY = Line([])
_Row = list[Piece]


def page(status: Status) -> Iterator[Line]:
    """The whole page; nothing in it can steer a terminal."""
    found = verdict(status)
    parts = (
        told(found),
        columns(list(_facts(status))),
        columns(list(_records(status)), range(1, 10)),
        columns(list(_outputs(status)), range(1, 6)),
        columns(list(_log(status.log)) if status.log else [], range(1, 3)),
        columns(list(_hooks(status))),
    )
    for part in parts:
        lines = list(part)
        yield from lines
        if lines:
            yield _EMPTY
    yield conclusion(found)


def conclusion(found: list[Finding]) -> Line:
    """The one line that says it all."""
    wrong = [finding for finding in found if finding.level == "bad"]
    remarks = _many(len(found) - len(wrong), "remark")
    if not wrong:
        return Line([Piece("healthy", "name"), Piece(f", with {remarks}" if found else "", "value")])
    if len(wrong) == 1:
        return Line([Piece(f"not healthy: {visible(wrong[0].about)}: {visible(wrong[0].text)}", "alarm")])
    return Line([Piece(f"not healthy: {len(wrong)} things are wrong, they stand at the top", "alarm")])


def _facts(status: Status) -> Iterator[_Row]:
    used = status.cpu_seconds * 100e9 / status.uptime if status.uptime > 0 else 0.0
    yield _fact("pysmon", f"{status.version}, process {status.pid}, watches {status.scope}")
    yield _fact("running", f"{span(status.uptime)}, since {moment(status.started)}")
    yield _fact("uses", f"{size(status.memory)} of memory, {used:.1f} % of a processor")
    own = status.configuration
    rules = f"{own.name} (schema {own.schema_version})"
    yield _fact("configuration", f"{rules}, since {moment(own.since)}, generation {own.generation}")
    yield [Piece("", "quiet"), Piece(f"SHA256={visible(own.sha256)}", "quiet")]
    canary = status.canary
    if canary is not None:
        proof = "came back whole" if canary.ended and not canary.blind else "did not come back whole"
        yield _fact("canary", f"{proof}, {moment(canary.when)}")
    if status.reconciliation is not None:
        balance = "add up" if status.reconciliation.exact else "do not add up"
        yield _fact("books", f"{balance}, {moment(status.reconciliation.when)}")


def _records(status: Status) -> Iterator[_Row]:
    names = ("records", "seen", "kept", "filtered", "pushed down", "lost", "in flight", "10 s", "minute", "overall")
    yield [*_head(*names), Piece("(per second)", "quiet")]
    for family in status.families:
        rates = (family.rates.ten_seconds, family.rates.minute, family.rates.since_start)
        yield [
            Piece(visible(family.name), "path"),
            *_counts(family.seen, family.kept, family.filtered, family.pushed_down),
            _bad_count(family.lost),
            *_counts(family.in_flight),
            *(Piece(f"{rate:,.1f}", "value") for rate in rates),
        ]


def _outputs(status: Status) -> Iterator[_Row]:
    if status.outputs:
        yield _head("outputs", "written", "queued", "on disk", "size", "lost")
    for output in status.outputs:
        row = [
            Piece(visible(output.name), "path"),
            *_counts(output.written, output.queued, output.spilled),
            Piece(size(output.spilled_bytes), "value"),
            _bad_count(output.lost),
        ]
        yield [*row, Piece("rests", "alarm")] if output.trouble else row


def _log(log: LogState) -> Iterator[_Row]:
    yield _head("event log", "entries", "size", "back to")
    for held in log.classes:
        oldest = moment(held.oldest) if held.oldest is not None else "-"
        yield [
            Piece(visible(held.name), "path"),
            *_counts(held.entries),
            _value(size(held.bytes)),
            Piece(oldest, "time"),
        ]
    entries = sum(held.entries for held in log.classes)
    where = f"of {size(log.limit)} in {visible(log.path)}"
    yield [Piece("all", "path"), *_counts(entries), _value(size(log.bytes)), Piece(where, "quiet")]


def _hooks(status: Status) -> Iterator[_Row]:
    yield _head("sensor", "state", "hook", "canary", "instead of")
    canary = status.canary
    for hook in status.hooks:
        seen = blind = False
        if canary is not None and canary.ended:
            seen, blind = hook.ability in canary.seen, hook.ability in canary.blind
        proof = Piece("blind", "alarm") if blind else _value("seen" if seen else "-")
        instead = "; ".join(map(visible, hook.refusals))
        row = [Piece(visible(hook.ability), "path"), _state(hook), _value(hook.hook or "-"), proof]
        yield [*row, Piece(instead, "quiet")] if instead else row


def _state(hook: HookState) -> Piece:
    if hook.state == "off":
        return Piece("not asked for: no rule can keep it", "quiet")
    return Piece(hook.state, "alarm" if hook.state == "blind" else "value")


def _fact(name: str, text: str) -> _Row:
    return [Piece(name, "path"), _value(text)]


def _head(*names: str) -> _Row:
    return [Piece(name, "quiet") for name in names]


def _counts(*numbers: int) -> _Row:
    return [Piece(f"{number:,}", "value") for number in numbers]


def _bad_count(number: int) -> Piece:
    style: Style = "alarm" if number else "value"
    return Piece(f"{number:,}", style)


def _value(text: str) -> Piece:
    return Piece(visible(text), "value")


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
