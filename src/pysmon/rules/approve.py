"""What an event must meet to be able to pass, from some of its fields alone: so much can be told before it is built.

Sound, not complete: where the fields that are known do not decide, an event may pass. The law: what is refused here,
the ruleset drops, whatever the other fields of the event are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import product

from pysmon.config.model import Condition
from pysmon.rules.comparisons import sorted_checks
from pysmon.rules.conditions import NEGATED, fold, items
from pysmon.rules.field_checks import FieldChecks
from pysmon.rules.path_parts import PathParts, path_parts
from pysmon.rules.reach import can_keep
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.tree import Check, Hits, Outcome

PATH = "TargetFilename"
PORTS = 1 << 16
_ALL = b"\xff" * (PORTS // 8)
SIDES = ("DestinationPort", "SourcePort")
FLOWS = tuple(product((False, True), ("tcp", "udp")))  # initiated, protocol
# The fields that tell who acts, of events that are made of one record each, by the process that acts.
_ACTS, _REACHES = ("Image", "User"), ("SourceImage", "SourceUser")
_ACTOR = {8: _REACHES, 10: _REACHES, **dict.fromkeys((2, 3, 9, 11, 12, 13, 14, 15, 17, 18, 23, 26, 100), _ACTS)}
ENDS = ("SourceIp", "DestinationIp")
_WITHIN: dict[str, dict[str, object]] = {  # connections of a machine with itself, as their events have them
    name: dict.fromkeys(ENDS, address) | dict.fromkeys(("SourceIsIpv6", "DestinationIsIpv6"), name == "ipv6")
    for name, address in (("ipv4", "127.0.0.1"), ("ipv6", "0:0:0:0:0:0:0:1"))
}
# Numbers that every event of a type has that is made of a record.
_PRESENT = {3: frozenset({*SIDES, "ProcessId", "Initiated", "SourceIsIpv6", "DestinationIsIpv6"})}
_EACH = {Condition.IS, Condition.IS_NOT, Condition.IS_ANY}  # conditions that tell apart only the values that they name
_MEMORY = 4096

PortSets = Mapping[tuple[str, bool, str], bytes]  # side, initiated, protocol: a bit for each port that may pass


class Approver:
    """What the rules of one event type can keep, given some of its fields."""

    def __init__(self, ruleset: Ruleset, event_id: int) -> None:
        """Sort the checks of the type by field."""
        self.event_id = event_id
        self.rules = ruleset.rules[event_id]
        self.reads = ruleset.reads(event_id)
        self._checks: dict[str, list[Check]] = defaultdict(list)
        for check in self.rules.checks:
            if check.fixed is None:
                self._checks[check.field].append(check)
        splits_on = ruleset.image_splits_on
        self._tables = {n: FieldChecks(sorted_checks(own, splits_on), splits_on) for n, own in self._checks.items()}
        self._texts = {f.name: f.kind.text for f in self.rules.type.fields}
        self._image, self._user = _ACTOR.get(event_id, ("", ""))
        self.by_actor = lru_cache(_MEMORY)(self._by_actor)

    def may_keep(self, known: Mapping[str, object]) -> bool:
        """False if it is certain that no event with these values is kept. None of the values may be None."""
        return self._may_keep(
            {name: self._tables[name].hits(self._texts[name](v)) for name, v in known.items() if name in self._tables}
        )

    @property
    def actor_fields(self) -> frozenset[str]:
        """The fields that tell who acts, of those that the rules read."""
        return self.reads & {self._image, self._user}

    @property
    def minds_actor(self) -> bool:
        """Whether who acts can matter."""
        return bool(self.actor_fields)

    @property
    def minds_ends(self) -> bool:
        """Whether the addresses of a connection can matter."""
        return bool(self.reads & {*ENDS})

    @property
    def learns(self) -> bool:
        """Whether it has to be learned of programs what is kept of their deeds."""
        return self.minds_actor or self.minds_ends

    def refused_within(self, image: str, user: str | None) -> tuple[str, ...]:
        """Of which connections within the machine nothing is kept: `ipv4` from 127.0.0.1 to itself, `ipv6` from ::1."""
        actor = {self._image: image} | ({self._user: user} if user is not None else {})
        return tuple(name for name, ends in _WITHIN.items() if not self.may_keep({**actor, **ends}))

    def ports(self) -> PortSets | None:
        """Which ports a connection may have to pass, by side, who began it, and protocol; None: any."""
        if not self.reads & {*SIDES, "Protocol", "Initiated"}:
            return None
        sets: dict[tuple[str, bool, str], bytes] = {}
        for side in SIDES:
            others, named = self._classes(side)
            for initiated, protocol in FLOWS:
                known = {"Initiated": initiated, "Protocol": protocol}
                found = {n: self._tables[n].hits(self._texts[n](v)) for n, v in known.items() if n in self._tables}
                verdicts = {hits: self._may_keep(found | {side: hits}) for hits in {others, *named.values()}}
                unlike = [port for port, hits in named.items() if verdicts[hits] is not verdicts[others]]
                sets[side, initiated, protocol] = _bits(verdicts[others], unlike)
        return sets if any(bits != _ALL for bits in sets.values()) else None

    def path(self) -> PathParts | None:
        """Which parts of the path decide; None: they do not."""
        found = path_parts(self.rules, self._checks.get(PATH, ()))
        return found if found.decides else None

    def may_begin(self, field: str, beginning: str) -> bool:
        """False if it is certain that no event is kept whose text in that field begins so."""
        return can_keep(self.rules, lambda check: check.fixed if check.field != field else begun(check, beginning))

    def _by_actor(self, image: str, user: str | None) -> bool:
        return self.may_keep({self._image: image} | ({self._user: user} if user is not None else {}))

    def _may_keep(self, found: Mapping[str, Hits]) -> bool:
        def outcome(check: Check) -> Outcome:
            hits = found.get(check.field) if check.fixed is None else None
            return check.fixed if hits is None else bool(hits & check.mask)

        return can_keep(self.rules, outcome, _PRESENT.get(self.event_id, ()))

    def _classes(self, side: str) -> tuple[Hits, dict[int, Hits]]:
        """Which checks hold for most ports, and for those that have to be looked at one by one."""
        checks = self._checks.get(side, [])
        if not checks:
            return 0, {}
        hits = self._tables[side].hits
        if any(check.source.condition not in _EACH for check in checks):
            return hits("0"), {port: hits(str(port)) for port in range(PORTS)}
        named = {int(text) for c in checks for text in items(c.source.value) if text.isascii() and text.isdigit()}
        return hits("no port"), {port: hits(str(port)) for port in named if port < PORTS}


def begun(check: Check, beginning: str) -> Outcome:
    """What comes of a check on a text of which the beginning is all that is known."""
    condition, value, start = check.source.condition, fold(check.source.value), fold(beginning)
    if check.fixed is not None:
        return check.fixed
    positive = NEGATED.get(condition, condition)
    if positive is Condition.BEGIN_WITH:
        outcome = True if start.startswith(value) else None if value.startswith(start) else False
    elif positive in (Condition.IS, Condition.IS_ANY):
        named = items(value) if positive is Condition.IS_ANY else [value]
        outcome = None if any(text.startswith(start) for text in named) else False
    else:
        outcome = None
    return outcome if condition is positive or outcome is None else not outcome


def _bits(most: bool, unlike: Iterable[int]) -> bytes:
    """A bit for each port, the first in the lowest bit of the first byte: that of `most`, but for those `unlike` it."""
    bits = bytearray(_ALL if most else len(_ALL))
    for port in unlike:
        bits[port >> 3] ^= 1 << (port & 7)
    return bytes(bits)
