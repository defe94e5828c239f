"""A reader of the clipboards of a Wayland display, one for each seat, by the data-control protocol.

Wayland tells nobody who has put something there, so no change of it names a process.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from pysmon.sensor.clipboard import wayland_wire as wayland
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

MANAGERS = ("ext_data_control_manager_v1", "zwlr_data_control_manager_v1")  # the better one first
_SEAT = "wl_seat"
_SEATS = 16
_OFFERS = 64  # that are on their way; who offers more is no display
_CHUNK = 1 << 16
_OURS = 0xFEFFFFFF  # the last number that objects of ours may have


class NoDataControlError(DisplayError):
    """The display lets nobody see its clipboard."""


@dataclass(slots=True, eq=False)
class _Transfer:
    """One change while it is read."""

    seat: int  # the device that told
    time: int  # ns since boot
    until: float  # s since boot
    targets: tuple[str, ...]
    target: str
    pipe: int
    content: bytearray = field(default_factory=bytearray)


class WaylandClipboard:
    """What changes on one display. Feed it with `take` when something can be read, and with `expire` as time goes."""

    def __init__(self, stream: Stream, clock: Callable[[], int]) -> None:
        """`clock` gives ns since boot."""
        self._stream, self._clock = stream, clock
        self._next = wayland.DISPLAY
        self._globals: dict[str, int] = {}
        self._seats: list[int] = []
        self._devices: set[int] = set()
        self._offers: dict[int, list[str]] = {}
        self._transfers: dict[int, _Transfer] = {}  # by device
        self._last: dict[int, tuple[str, bytes]] = {}  # target and digest of what was there, by device
        self._told: list[Change] = []
        self._asked = False  # for the devices
        self.ready = False  # whether changes are told from now on
        self._registry = self._new()
        stream.send(wayland.get_registry(self._registry))
        self._synced = self._new()
        stream.send(wayland.sync(self._synced))

    def take(self) -> list[Change]:
        """What has changed, by what came in; DisplayError if the display ends or speaks nonsense."""
        self._stream.read()
        for transfer in list(self._transfers.values()):  # now: what was whole before a change was told is had whole
            self._receive(transfer)
        buffer = self._stream.incoming
        while (size := wayland.message_size(buffer)) and len(buffer) >= size:
            self._note(wayland.message(self._stream.take(size)))
        return self._over()

    @property
    def due(self) -> float | None:
        """When `expire` has something to do, in s since boot; None for never."""
        return min((transfer.until for transfer in self._transfers.values()), default=None)

    def expire(self, now: float) -> list[Change]:
        """Give up on an owner who does not hand over what he has. `now` is in s since boot."""
        for transfer in list(self._transfers.values()):
            if now >= transfer.until:
                self._settle(transfer, TOO_SLOW)
        return self._over()

    def files(self) -> list[int]:
        """What else is to be polled: the pipes that content comes through."""
        return [transfer.pipe for transfer in self._transfers.values()]

    def _note(self, message: wayland.Message) -> None:
        sender, opcode, body = message
        if sender == wayland.DISPLAY and opcode == wayland.DISPLAY_ERROR:
            raise DisplayError(f"it told of an error: {wayland.text(body, 8)}")
        if sender == self._registry and opcode == wayland.GLOBAL:
            self._found(wayland.number(body), wayland.text(body, 4))
        elif sender == self._synced:
            self._heard()
        elif sender in self._devices:
            self._of_device(sender, opcode, body)
        elif sender in self._offers and opcode == wayland.OFFER and len(self._offers[sender]) < TARGETS_LIMIT:
            self._offers[sender].append(wayland.text(body))

    def _found(self, name: int, interface: str) -> None:
        if interface in MANAGERS:
            self._globals[interface] = name
        elif interface == _SEAT and len(self._seats) < _SEATS:
            self._seats.append(name)

    def _heard(self) -> None:
        """All was told that was asked for: the globals the first time, what is in the clipboards the second time."""
        if self._asked:
            self.ready = True
            return
        self._asked = True
        interface = next((each for each in MANAGERS if each in self._globals), None)
        if interface is None:
            raise NoDataControlError("it has no data-control protocol, which shows the clipboard")
        manager = self._bind(self._globals[interface], interface)
        for name in self._seats:
            seat, device = self._bind(name, _SEAT), self._new()
            self._devices.add(device)
            self._stream.send(wayland.get_data_device(manager, device, seat))
        self._synced = self._new()
        self._stream.send(wayland.sync(self._synced))

    def _bind(self, name: int, interface: str) -> int:
        new = self._new()
        self._stream.send(wayland.bind(self._registry, name, interface, 1, new))
        return new

    def _of_device(self, device: int, opcode: int, body: bytes) -> None:
        if opcode == wayland.DATA_OFFER:
            if len(self._offers) >= _OFFERS:
                raise DisplayError("it offers too much at once")
            self._offers[wayland.number(body)] = []
        elif opcode == wayland.SELECTION:
            self._selected(device, wayland.number(body))
        elif opcode == wayland.PRIMARY:
            self._drop(wayland.number(body))
        elif opcode == wayland.FINISHED:
            self._devices.discard(device)

    def _selected(self, device: int, offer: int) -> None:
        if current := self._transfers.get(device):
            self._settle(current, CHANGED_AGAIN)
        targets = tuple(self._offers.get(offer, ()))
        if not offer or not self.ready:  # it was emptied; or it was there before
            self._drop(offer)
            return
        now, target = self._clock(), choice(targets)
        if not target:
            self._told.append(Change(now, outcome=REFUSED, targets=targets))
            self._drop(offer)
            return
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(ours, False)
        try:
            self._stream.send(wayland.receive(offer, target), theirs)
        finally:
            os.close(theirs)
        self._drop(offer)
        self._transfers[device] = _Transfer(device, now, now / 1e9 + PATIENCE, targets, target, ours)

    def _drop(self, offer: int) -> None:
        if self._offers.pop(offer, None) is not None:
            self._stream.send(wayland.destroy_offer(offer))

    def _receive(self, transfer: _Transfer) -> None:
        with suppress(BlockingIOError):
            while chunk := os.read(transfer.pipe, _CHUNK):
                transfer.content += chunk
                if len(transfer.content) > LIMIT:
                    self._settle(transfer, TOO_LARGE)
                    return
            self._settle(transfer, READ)

    def _settle(self, transfer: _Transfer, outcome: int) -> None:
        self._transfers.pop(transfer.seat, None)
        os.close(transfer.pipe)
        content = bytes(transfer.content) if outcome == READ else None
        before = self._last.pop(transfer.seat, None)
        if content is not None:
            self._last[transfer.seat] = (transfer.target, hashlib.sha256(content).digest())
            if before == self._last[transfer.seat]:  # the same again: nothing has changed
                return
        self._told.append(
            Change(
                transfer.time,
                outcome=outcome,
                target=transfer.target,
                targets=transfer.targets,
                content=content,
            )
        )

    def _over(self) -> list[Change]:
        told, self._told = self._told, []
        return told

    def _new(self) -> int:
        if self._next >= _OURS:
            raise DisplayError("all numbers of objects are used up")
        self._next += 1
        return self._next
