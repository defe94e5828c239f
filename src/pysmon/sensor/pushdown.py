"""What the kernel programs drop by themselves: the maps of pushdown.bpf.h, and who may write what into them when.

Everything belongs to a generation. `renew` begins one: what an older one has learned holds no longer. Between `suspend`
and `renew` nothing is dropped, so that the rules above may change meanwhile.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pysmon.sensor.libbpf import Map
from pysmon.sensor.records import (
    ACTORS,
    ANSWERED,
    ASKING,
    BRIEF,
    FAMILIES,
    IMAGES_LIMIT,
    PARTS_LIMIT,
    SHADOW,
    WITHIN,
    components_of,
)

_APPROVAL = struct.Struct("<QQIIII")
_PART = struct.Struct("<IBBBx64s")
_RUNNING = struct.Struct("<QQI20x")
_ACTOR, _NUMBER = struct.Struct("<III"), struct.Struct("<I")
_IMAGE_SIZE = 256
_KINDS = {"directory": 0, "ending": 1}
_SIDES = ("DestinationPort", "SourcePort")

PartKey = tuple[Literal["directory", "ending"], bytes]


@dataclass(frozen=True, slots=True)
class Approval:
    """What a record of a family must meet. Without anything said, all go up."""

    by_actor: bool = False  # who acts may decide: `answer` tells when it does
    ports: Mapping[tuple[str, bool, str], bytes] | None = (
        None  # side, initiated, protocol: ports that may pass, as bits
    )
    events: int = 0  # how many events a record makes, of which the path may decide on each; 0: it does not decide
    needed: frozenset[int] = frozenset()  # those that need a part of the path that approves them
    parts: Mapping[PartKey, int] = field(default_factory=dict)  # bit 2n: approves event n, bit 2n + 1: discards it


class Pushdown:
    """The maps. `publish` is called with the generation and the bits PUSHDOWN_* once they hold."""

    def __init__(self, find: Callable[[str], Map], publish: Callable[[int, int], None]) -> None:
        """`find` gives a map by its name."""
        self._approvals, self._parts, self._ports = find("approvals"), find("parts"), find("port_sets")
        self._images, self._running, self._answers = find("images"), find("running"), find("answers")
        self._publish = publish
        self.shadow = False  # for tests: what would be dropped goes up with the mark; from the next generation on
        self._generation = self._how = 0
        self._written: list[bytes] = []  # keys of the parts of this generation
        self._answered: set[tuple[int, int]] = set()  # in this generation: number of an image, and user id
        self._numbers: dict[str, int] = {}  # of images

    def suspend(self) -> None:
        """Drop nothing until `renew`."""
        self._publish(0, 0)

    def renew(self, approvals: Mapping[str, Approval]) -> None:
        """Drop what these do not let pass, by family, from now on."""
        self._publish(0, 0)
        self._generation = (self._generation + 1) & 0xFFFF_FFFF or 1
        self._answered.clear()
        old, self._written = self._written, []
        for family in FAMILIES:
            self._write(family, approvals.get(family, Approval()))
        actors = ACTORS | self._asking if any(approval.by_actor for approval in approvals.values()) else 0
        self._how = actors | (SHADOW if self.shadow else 0)
        self._publish(self._generation, self._how)
        for key in old:
            self._parts.delete(key)

    def answer(
        self,
        image: str,
        uid: int,
        families: Collection[str],
        process: tuple[int, int, int],
        within: Collection[str] = (),
        brief: bool = False,
    ) -> None:
        """Nothing of these families, and of no others, is kept of what that program does for that user.

        `within`: nor of its connections from 127.0.0.1 to the same (`ipv4`), from ::1 to the same (`ipv6`).
        `brief`: nor of the begin of its processes, so that less is told of it.

        One of its processes, which asked for that, gets the number of the program: `process` are its id, its start,
        and which of its programs that is. The others get it when they are made or run the program.
        """
        number = self._number(image)
        if number == 0:
            return
        tgid, start, exec_id = process
        if (number, uid) not in self._answered:
            self._answered.add((number, uid))
            bits = sum(1 << FAMILIES.index(family) for family in families)
            bits |= ANSWERED | sum(WITHIN[name] for name in within) | (BRIEF if brief else 0)
            self._answers.update(_ACTOR.pack(number, uid, self._generation), _NUMBER.pack(bits))
        self._running.update(_NUMBER.pack(tgid), _RUNNING.pack(start, exec_id, number))

    def _number(self, image: str) -> int:
        """The number of a program; 0 if it can have none."""
        known = self._numbers.get(image)
        if known is not None:
            return known
        path = components_of(image)
        if len(path) > _IMAGE_SIZE or len(self._numbers) >= IMAGES_LIMIT:
            return 0
        number = self._numbers[image] = len(self._numbers) + 1
        self._images.update(path.ljust(_IMAGE_SIZE, b"\0"), _NUMBER.pack(number))
        if self._how and not self._asking:  # there are no numbers any more: nobody needs to be woken for one
            self._how &= ~ASKING
            self._publish(self._generation, self._how)
        return number

    @property
    def _asking(self) -> int:
        return ASKING if len(self._numbers) < IMAGES_LIMIT else 0

    def _write(self, family: str, approval: Approval) -> None:
        number, odd = FAMILIES.index(family), self._generation & 1
        fits = (
            len(self._written) + len(approval.parts) <= PARTS_LIMIT // 2
        )  # those of the last generation are there, too
        events = approval.events if fits else 0
        lengths = {"directory": 0, "ending": 0}
        for (kind, text), bits in approval.parts.items() if events else ():
            read = _backwards(kind, text)
            lengths[kind] |= 1 << len(read)
            key = _PART.pack(self._generation, number, _KINDS[kind], len(read), read)
            self._written.append(key)
            self._parts.update(key, _NUMBER.pack(bits))
        if approval.ports is not None:
            for (side, initiated, protocol), passing in approval.ports.items():
                index = odd * 8 + _SIDES.index(side) * 4 + initiated * 2 + (protocol == "udp")
                self._ports.update(_NUMBER.pack(index), passing)
        value = _APPROVAL.pack(
            lengths["directory"],
            lengths["ending"],
            sum(1 << 2 * n for n in range(events)),
            sum(1 << 2 * n for n in approval.needed) if events else 0,
            approval.by_actor,
            approval.ports is not None,
        )
        self._approvals.update(_NUMBER.pack(odd * len(FAMILIES) + number), value)


def _backwards(kind: str, text: bytes) -> bytes:
    """A part as the kernel reads it: the path that it wrote leaf to root, from behind."""
    if kind == "ending":
        return text[::-1]
    return b"".join(b"\0" + name[::-1] for name in text.split(b"/") if name)
