"""A program on an X11 display that owns its clipboard, as a test wants it: what xclip cannot be told to do."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path

from pysmon.sensor.clipboard import x11_wire as x11

ATOM, INTEGER = 4, 19
DESTROY_NOTIFY, SELECTION_REQUEST = 17, 30
_OF_WINDOW, _OF_PROPERTIES = 1 << 17, 1 << 22  # events to be told of (StructureNotify, PropertyChange)


class Owner:
    """Hands over `offers` (bytes by target) when it is asked; a target that is None is refused."""

    def __init__(self, path: Path, cookie: bytes, offers: dict[str, bytes | None]) -> None:
        """Connect; `own` takes the clipboard over."""
        self.offers = offers
        self.mute = False  # lets questions unanswered
        self.let_go = 0  # how often who asked was done with the answer, and removed the window that it came to
        self.part = 0  # bytes of one part (INCR); 0: all at once
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.sendall(x11.hello(b"MIT-MAGIC-COOKIE-1", cookie))
        data = b""
        while not x11.setup_size(data) or len(data) < x11.setup_size(data):
            data += self._socket.recv(4096)
        setup = x11.setup(data)
        self._root, self._next = setup.root, setup.first_id
        self._sent = 0
        self._replies: dict[int, bytes] = {}
        self._came = threading.Condition()
        self._sending = threading.Lock()
        self._parts: dict[tuple[int, int], tuple[int, bytes]] = {}
        self._names: dict[int, str] = {}
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self._atoms = {name: self.atom(name) for name in ("CLIPBOARD", "PRIMARY", "TARGETS", "INCR", *offers)}
        self.windows = [self.window(), self.window()]

    def window(self) -> int:
        """A new window."""
        self._next += 1
        self._send(x11.create_window(self._next, self._root))
        return self._next

    def own(self, window: int = 0, selection: str = "CLIPBOARD") -> None:
        """Take the selection over, for the first window or the second; -1 gives it up."""
        owner = self.windows[window] if window >= 0 else 0
        self._send(struct.pack("<BBHIII", 22, 0, 4, owner, self._atoms[selection], 0))

    def atom(self, name: str) -> int:
        """The number of a name."""
        number = x11.number(self._ask(x11.intern_atom(name.encode())), 8)
        self._names[number] = name
        return number

    def close(self) -> None:
        """Leave."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def sync(self) -> None:
        """Until the server has done all that it was asked for."""
        self._ask(x11.get_atom_name(x11.STRING))

    def _ask(self, request: bytes) -> bytes:
        number = self._send(request)
        with self._came:
            assert self._came.wait_for(lambda: number in self._replies, 20), "the server does not answer"
            return self._replies.pop(number)

    def _send(self, request: bytes) -> int:
        with self._sending:
            self._socket.sendall(request)
            self._sent += 1
            return self._sent & 0xFFFF

    def _read(self) -> None:
        data = b""
        while chunk := self._socket.recv(65536):
            data += chunk
            while (size := x11.packet_size(data)) and len(data) >= size:
                self._note(data[:size])
                data = data[size:]

    def _note(self, packet: bytes) -> None:
        kind = packet[0] & 0x7F
        if kind == x11.REPLY:
            with self._came:
                self._replies[int.from_bytes(packet[2:4], "little")] = packet
                self._came.notify_all()
        elif kind == SELECTION_REQUEST and not self.mute:
            _, _, requestor, selection, target, name = struct.unpack_from("<6I", packet, 4)
            self._answer(requestor, selection, target, name, x11.number(packet, 4))
        elif kind == DESTROY_NOTIFY:
            self.let_go += 1
        elif kind == x11.PROPERTY_NOTIFY and packet[16] == 1:
            self._go_on(x11.number(packet, 4), x11.number(packet, 8))

    def _answer(self, requestor: int, selection: int, target: int, name: int, time: int) -> None:
        self._send(struct.pack("<BBHIII", 2, 0, 4, requestor, 1 << 11, _OF_WINDOW | _OF_PROPERTIES))
        if target == self._atoms["TARGETS"]:
            offered = [self._atoms["TARGETS"], *(self._atoms[each] for each in self.offers)]
            self._put(requestor, name, ATOM, 32, struct.pack(f"<{len(offered)}I", *offered))
        else:
            content = self.offers.get(self._names.get(target, ""))
            if content is None:
                name = 0
            elif self.part:
                self._parts[requestor, name] = (target, content)
                self._put(requestor, name, self._atoms["INCR"], 32, struct.pack("<I", len(content)))
            else:
                self._put(requestor, name, target, 8, content)
        event = struct.pack("<BxHIIIII", x11.SELECTION_NOTIFY, 0, time, requestor, selection, target, name)
        self._send(struct.pack("<BBHII", 25, 0, 11, requestor, 0) + event.ljust(32, b"\0"))

    def _go_on(self, requestor: int, name: int) -> None:
        """The property was read and removed: the next part, at last an empty one."""
        if (requestor, name) not in self._parts:
            return
        target, rest = self._parts.pop((requestor, name))
        self._put(requestor, name, target, 8, rest[: self.part])
        if rest:
            self._parts[requestor, name] = (target, rest[self.part :])

    def _put(self, requestor: int, name: int, kind: int, form: int, data: bytes) -> None:
        body = (
            struct.pack("<IIIBxxxI", requestor, name, kind, form, len(data) * 8 // form) + data + bytes(-len(data) % 4)
        )
        self._send(struct.pack("<BBH", 18, 0, 1 + len(body) // 4) + body)
