"""What the rules let the kernel drop: from the compiled rules to the sensor's words, and what a run learns besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pysmon.assemble.desktop import ROOT
from pysmon.host.dconf.changes import ENDINGS as DATABASE_NAMES
from pysmon.host.dconf.changes import FOLDERS as DATABASES
from pysmon.host.triggers.places import ENDINGS, FOLDERS
from pysmon.rules.approve import Approver
from pysmon.rules.path_parts import Part, PathParts
from pysmon.rules.ruleset import Ruleset
from pysmon.sensor.pushdown import Approval, PartKey

WHOLE_PATH = frozenset({2, 11, 23, 26})  # events whose record may end with the whole path, where the kernel looks
_NETWORK = 3
_TRIGGERS = frozenset({19, 20, 21})  # made of few paths, whatever the rules are
_OF_TRIGGERS = PathParts(
    frozenset(
        [Part("directory", folder.encode()) for folder in FOLDERS] + [Part("ending", end.encode()) for end in ENDINGS]
    ),
    frozenset(),
)

_DESKTOP = frozenset({12, 13})
_FILES = "file create"
_OF_DESKTOP = PathParts(
    frozenset(
        [Part("directory", f.encode()) for f in DATABASES] + [Part("ending", e.encode()) for e in DATABASE_NAMES]
    ),
    frozenset(),
)

Approvers = Mapping[str, Sequence[Approver]]  # by family: of the events that its records make and the rules can keep


class Answer(NamedTuple):
    """Of these families nothing is kept of what that program does for that user."""

    image: str
    uid: int
    families: tuple[str, ...]
    process: tuple[int, int, int]  # that runs it
    within: tuple[str, ...]  # nor of its connections within the machine, by ipv4 or ipv6
    brief: bool  # nor of the begin of its processes


def approvers_of(ruleset: Ruleset, families: Mapping[str, Sequence[int]]) -> Approvers:
    """For each family of records that is wanted at all; `families` gives the ids of the events that they make."""
    wanted = {family: [Approver(ruleset, n) for n in ids if ruleset.wants(n)] for family, ids in families.items()}
    made = {family: [each for each in own if _can_come(each, family)] for family, own in wanted.items()}
    return {family: own for family, own in made.items() if own}


def _can_come(approver: Approver, family: str) -> bool:
    """Can an event that the rules keep come of a record of that family? Files tell of one root of settings only."""
    return family != _FILES or approver.event_id not in _DESKTOP or approver.may_begin("TargetObject", f"{ROOT}\\")


def approvals_of(approvers: Approvers) -> dict[str, Approval]:
    """What the kernel is told."""
    return {family: _approval(own, family) for family, own in approvers.items()}


def _approval(approvers: Sequence[Approver], family: str) -> Approval:
    by_actor = all(approver.learns for approver in approvers)
    if len(approvers) == 1 and approvers[0].event_id == _NETWORK:
        return Approval(by_actor=by_actor, ports=approvers[0].ports())
    found = [_path(approver, family) for approver in approvers]
    paths = [path for path in found if path is not None]
    if len(paths) != len(approvers):  # one event that any path may make lets all records up
        return Approval(by_actor=by_actor)
    return Approval(
        by_actor=by_actor,
        events=len(paths),
        needed=frozenset(n for n, path in enumerate(paths) if path.approve is not None),
        parts=_parts(paths),
    )


def _path(approver: Approver, family: str) -> PathParts | None:
    if approver.event_id in _DESKTOP and family == _FILES:
        return _OF_DESKTOP
    if approver.event_id in _TRIGGERS:
        return _OF_TRIGGERS
    return approver.path() if approver.event_id in WHOLE_PATH else None


def _parts(paths: Sequence[PathParts]) -> dict[PartKey, int]:
    bits: dict[PartKey, int] = {}
    for n, path in enumerate(paths):
        for part in path.approve or ():
            bits[part.kind, part.text] = bits.get((part.kind, part.text), 0) | 1 << 2 * n
        for part in path.discard:
            bits[part.kind, part.text] = bits.get((part.kind, part.text), 0) | 2 << 2 * n
    return bits
