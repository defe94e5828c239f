"""A reader of the clipboard of an X11 display: told of new owners by XFIXES, of their processes by X-Resource."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from pysmon.sensor.clipboard import x11_wire as x11
from pysmon.sensor.clipboard.change import (
    CHANGED_AGAIN,
    LIMIT,
    PATIENCE,
    READ,
    REFUSED,
    TARGETS_LIMIT,
    TOO_LARGE,
    TOO_SLOW,
    Change,
    DisplayError,
    choice,
)
from pysmon.sensor.clipboard.stream import Stream

_EXTENSIONS = (b"XFIXES", b"X-Resource")
_ATOMS = (b"CLIPBOARD", b"TARGETS", b"INCR", b"PYSMON_TARGETS", b"PYSMON_CONTENT", b"UTF8_STRING")
_NAMES = 1024  # of atoms that are remembered
_Answer = Callable[[bytes | None], None]  # takes a reply, or None for an error


@dataclass(slots=True, eq=False)
class _Transfer:
    """One change while it is read. It is told once it is over and its process is known."""

    owner: int  # window
    time: int  # ns since boot
    stamp: int  # the server's
    window: int  # of ours, that the content comes to
    until: float
    pid: int | None = None
    outcome: int | None = None
    target: str = ""
    atoms: tuple[int, ...] = ()
    content: bytearray = field(default_factory=bytearray)
    in_parts: bool = False


class X11Clipboard:
    """What changes on one display. Feed it with `take` when the stream can be read, and with `expire` as time goes."""

    def __init__(self, stream: Stream, cookie: tuple[bytes, bytes], clock: Callable[[], int]) -> None:
        """`cookie`: name and data from the authority file; `clock` gives ns since boot."""
        self._stream, self._clock = stream, clock
        self._next, self._root, self._sent = 0, 0, 0  # id of a window, root window, requests so far
        self._answers: dict[int, _Answer] = {}  # by the number of the request
        self._codes: dict[bytes, tuple[int, int]] = {}  # of extensions: of requests, and of the first event
        self._atoms: dict[bytes, int] = {}
        self._names: dict[int, str] = {}
        self._transfers: deque[_Transfer] = deque()  # the last one is being read, if it is not over
        self._last: tuple[int, str, bytes] | None = None  # who put what there last
        self.ready = False  # whether changes are told from now on
        stream.send(x11.hello(*cookie))

    def take(self) -> list[Change]:
        """What has changed, by what came in; DisplayError if the display ends or speaks nonsense."""
        self._stream.read()
        buffer = self._stream.incoming
        if not self._root:
            size = x11.setup_size(buffer)
            if not size or len(buffer) < size:
                return []
            self._begin(x11.setup(self._stream.take(size)))
        while (size := x11.packet_size(buffer)) and len(buffer) >= size:
            self._note(self._stream.take(size))
        return self._over()

    @property
    def due(self) -> float | None:
        """When `expire` has something to do, in s since boot; None for never."""
        current = self._current
        return current.until if current else None

    def expire(self, now: float) -> list[Change]:
        """Give up on an owner who does not hand over what he has. `now` is in s since boot."""
        current = self._current
        if current and now >= current.until:
            self._settle(current, TOO_SLOW)
        return self._over()

    def files(self) -> list[int]:
        """What else is to be polled."""
        return []

    def _begin(self, setup: x11.Setup) -> None:
        self._next, self._root = setup.first_id, setup.root
        for name in _EXTENSIONS:
            self._ask(x11.query_extension(name), partial(self._has, name))
        for name in _ATOMS:
            self._ask(x11.intern_atom(name), partial(self._knows, name))

    def _has(self, name: bytes, reply: bytes | None) -> None:
        if reply and reply[8]:
            self._codes[name] = (reply[9], reply[10])
        elif name == b"XFIXES":
            raise DisplayError("it has no XFIXES, which tells of changes")

    def _knows(self, name: bytes, reply: bytes | None) -> None:
        if reply is None:
            raise DisplayError("it refused a name")
        self._atoms[name] = x11.number(reply, 8)
        if name != _ATOMS[-1]:
            return
        fixes = self._codes[b"XFIXES"][0]
        if b"X-Resource" in self._codes:
            self._ask(x11.resource_version(self._codes[b"X-Resource"][0]), _nothing)
        self._ask(x11.fixes_version(fixes), _nothing)
        self._send(x11.tell_owners(fixes, self._root, self._atoms[b"CLIPBOARD"]))
        # Its answer says that the server has heard the request before it, which has none itself.
        self._ask(x11.get_atom_name(x11.STRING), lambda _: self._attend())

    def _attend(self) -> None:
        self.ready = True

    def _note(self, packet: bytes) -> None:
        kind, sequence = packet[0] & 0x7F, int.from_bytes(packet[2:4], "little")
        if kind in (x11.ERROR, x11.REPLY):
            answer = self._answers.pop(sequence, None)
            if answer:
                answer(packet if kind == x11.REPLY else None)
        elif kind == x11.SELECTION_NOTIFY:
            self._handed(x11.number(packet, 8), x11.number(packet, 16), x11.number(packet, 20))
        elif kind == x11.PROPERTY_NOTIFY:
            self._part(x11.number(packet, 4), x11.number(packet, 8), packet[16])
        elif b"XFIXES" in self._codes and kind == self._codes[b"XFIXES"][1] and packet[1] == 0:
            self._owned(x11.number(packet, 8), x11.number(packet, 12), x11.number(packet, 20))

    def _owned(self, owner: int, selection: int, stamp: int) -> None:
        if selection != self._atoms.get(b"CLIPBOARD"):
            return
        if current := self._current:
            self._settle(current, CHANGED_AGAIN)
        if not owner:  # it was emptied
            return
        now = self._clock()
        self._next += 1
        made = _Transfer(owner, now, stamp, self._next, now / 1e9 + PATIENCE)
        self._transfers.append(made)
        self._send(x11.create_window(made.window, self._root))
        if b"X-Resource" in self._codes:
            opcode = self._codes[b"X-Resource"][0]
            self._ask(x11.query_process(opcode, owner), partial(self._named, made))
        else:
            made.pid = 0
        self._convert(made, self._atoms[b"TARGETS"], self._atoms[b"PYSMON_TARGETS"])

    def _named(self, transfer: _Transfer, reply: bytes | None) -> None:
        transfer.pid = x11.process_of(reply) if reply else 0

    def _convert(self, transfer: _Transfer, target: int, name: int) -> None:
        clipboard = self._atoms[b"CLIPBOARD"]
        self._send(x11.convert_selection(transfer.window, clipboard, target, name, transfer.stamp))

    def _handed(self, window: int, target: int, name: int) -> None:
        """The owner has answered; `name` is the property, 0 if he refused."""
        transfer = self._current
        if transfer is None or transfer.window != window:
            return
        if target == self._atoms[b"TARGETS"]:
            if name:
                self._ask(x11.take_property(window, name), partial(self._offered, transfer))
            else:  # an owner who knows no targets has a text, if anything
                self._request(transfer, self._atoms[b"UTF8_STRING"], "UTF8_STRING")
        elif name:
            self._ask(x11.take_property(window, name), partial(self._received, transfer))
        else:
            self._settle(transfer, REFUSED)

    def _offered(self, transfer: _Transfer, reply: bytes | None) -> None:
        data = x11.property_of(reply).data if reply else b""
        transfer.atoms = tuple(x11.number(data, at) for at in range(0, len(data) // 4 * 4, 4))[:TARGETS_LIMIT]
        if len(self._names) > _NAMES:
            self._names.clear()
        unknown = [atom for atom in transfer.atoms if atom not in self._names]
        for atom in unknown:
            self._ask(x11.get_atom_name(atom), partial(self._called, atom))
        # Answers come in the order of the questions: this one when all names are known.
        self._ask(x11.get_atom_name(x11.STRING), lambda _: self._choose(transfer))

    def _called(self, atom: int, reply: bytes | None) -> None:
        self._names[atom] = x11.name_of(reply) if reply else ""

    def _choose(self, transfer: _Transfer) -> None:
        by_name = {self._names.get(atom, ""): atom for atom in transfer.atoms}
        chosen = choice(tuple(by_name))
        if chosen and transfer.outcome is None:
            self._request(transfer, by_name[chosen], chosen)
        else:
            self._settle(transfer, REFUSED)

    def _request(self, transfer: _Transfer, target: int, name: str) -> None:
        transfer.target = name
        self._convert(transfer, target, self._atoms[b"PYSMON_CONTENT"])

    def _received(self, transfer: _Transfer, reply: bytes | None) -> None:
        if transfer.outcome is not None:
            return
        if reply is None:
            self._settle(transfer, REFUSED)
            return
        found = x11.property_of(reply)
        if found.type == self._atoms[b"INCR"] and not transfer.in_parts:
            transfer.in_parts = True
            return
        if found.more or len(transfer.content) + len(found.data) > LIMIT:
            self._settle(transfer, TOO_LARGE)
            return
        transfer.content += found.data
        if not transfer.in_parts or not found.data:
            self._settle(transfer, READ)

    def _part(self, window: int, name: int, state: int) -> None:
        """A property of our window is another: the next part of what is too long for one."""
        transfer = self._current
        if transfer is None or not transfer.in_parts or state != x11.NEW_VALUE:
            return
        if (window, name) == (transfer.window, self._atoms[b"PYSMON_CONTENT"]):
            self._ask(x11.take_property(window, name), partial(self._received, transfer))

    @property
    def _current(self) -> _Transfer | None:
        """The transfer that is not over."""
        return self._transfers[-1] if self._transfers and self._transfers[-1].outcome is None else None

    def _settle(self, transfer: _Transfer, outcome: int) -> None:
        if transfer.outcome is None:
            transfer.outcome = outcome
            self._send(x11.destroy_window(transfer.window))

    def _over(self) -> list[Change]:
        """Transfers that are over, in the order in which they began."""
        told: list[Change] = []
        while self._transfers and (first := self._transfers[0]).outcome is not None and first.pid is not None:
            self._transfers.popleft()
            whole = first.outcome == READ
            now = (first.owner, first.target, hashlib.sha256(first.content).digest()) if whole else None
            if now is None or now != self._last:  # an owner who says the same again has changed nothing
                told.append(
                    Change(
                        first.time,
                        first.pid,
                        first.outcome,
                        first.target,
                        tuple(self._names.get(atom, "") for atom in first.atoms),
                        bytes(first.content) if whole else None,
                    )
                )
            self._last = now
        return told

    def _ask(self, request: bytes, answer: _Answer) -> None:
        self._send(request)
        self._answers[self._sent & 0xFFFF] = answer

    def _send(self, request: bytes) -> None:
        self._stream.send(request)
        self._sent += 1


def _nothing(_: bytes | None) -> None:
    return
