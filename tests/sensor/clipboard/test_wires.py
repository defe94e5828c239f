"""The protocols of displays: what is odd ends the reader, and nothing else."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.sensor.clipboard import wayland_wire, x11_wire
from pysmon.sensor.clipboard.change import READ, DisplayError, choice
from pysmon.sensor.clipboard.seal import is_sealed, sealed
from pysmon.sensor.clipboard.stream import Stream
from pysmon.sensor.clipboard.wayland import MANAGERS, NoDataControlError, WaylandClipboard
from pysmon.sensor.clipboard.x11 import X11Clipboard

Clipboard = X11Clipboard | WaylandClipboard
_SETUP = (
    struct.pack("<BxHHH", 1, 11, 0, 10) + struct.pack("<II", 0, 0x200000) + bytes(8) + struct.pack("<HHBB", 0, 0, 1, 0)
)
SETUP = (_SETUP + bytes(10)).ljust(40, b"\0") + struct.pack("<II", 99, 0)  # root window 99


@pytest.fixture
def end(tmp_path: Path) -> socket.socket:
    """A display of ours, which says what a test wants."""
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(tmp_path / "s"))
    made.listen()
    return made


def met(end: socket.socket, make: Callable[[Stream], Clipboard]) -> tuple[Clipboard, socket.socket]:
    clipboard = make(Stream(str(end.getsockname())))
    return clipboard, end.accept()[0]


def x11(stream: Stream) -> X11Clipboard:
    return X11Clipboard(stream, (b"", b""), time.monotonic_ns)


def wayland(stream: Stream) -> WaylandClipboard:
    return WaylandClipboard(stream, time.monotonic_ns)


@given(st.binary(max_size=300), st.sampled_from([x11, wayland]), st.booleans())
def test_whatever_a_display_says_it_tells_of_no_change_and_ends_at_most_itself(
    data: bytes, make: Callable[[Stream], Clipboard], after_setup: bool
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        clipboard = make(_over(ours))
        theirs.sendall((SETUP if after_setup else b"") + data)
        with suppress(DisplayError):
            assert clipboard.take() == []


class _over(Stream):  # noqa: N801 - used as a function
    """A stream over a socket that is connected already."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self.incoming, self._unsent = bytearray(), bytearray()


def test_a_refusal_is_told_in_the_servers_words(end: socket.socket) -> None:
    clipboard, display = met(end, x11)
    display.sendall(struct.pack("<BBHHH", 0, 7, 11, 0, 2) + b"go away\0")
    with pytest.raises(DisplayError, match="it refused the connection: go away"):
        clipboard.take()


def test_a_packet_without_bounds_is_refused(end: socket.socket) -> None:
    clipboard, display = met(end, x11)
    display.sendall(SETUP + struct.pack("<BxHI", x11_wire.REPLY, 1, 1 << 30) + bytes(24))
    with pytest.raises(DisplayError, match="it sent a packet of 4294967296 bytes"):
        clipboard.take()


def test_a_server_without_xfixes_is_of_no_use(end: socket.socket) -> None:
    clipboard, display = met(end, x11)
    display.sendall(SETUP + struct.pack("<BxHI", x11_wire.REPLY, 1, 0) + bytes(24))
    with pytest.raises(DisplayError, match="XFIXES"):
        clipboard.take()


def test_a_display_without_data_control_says_so(end: socket.socket) -> None:
    clipboard, display = met(end, wayland)
    display.sendall(struct.pack("=IHHI", 3, 0, 12, 0))  # all was told, and it was nothing
    with pytest.raises(NoDataControlError):
        clipboard.take()


def test_what_is_handed_over_just_before_the_next_change_is_had_whole() -> None:
    pipes: list[int] = []

    class Late(_over):
        """While a change is read from it, the owner of what was there before hands that over."""

        def read(self) -> None:
            for pipe in pipes:
                os.write(pipe, b"whole")
                os.close(pipe)
            super().read()

    ours, theirs = socket.socketpair()
    with ours, theirs:
        clipboard = wayland(Late(ours))
        theirs.sendall(told(2, 0, 7, "wl_seat", 1) + told(2, 0, 8, MANAGERS[0], 1) + told(3, 0, 0))
        assert clipboard.take() == []
        device, synced, offer = 6, 7, 0xFF000000  # after the manager and the seat
        theirs.sendall(told(synced, 0, 0))
        assert clipboard.take() == []
        assert clipboard.ready
        theirs.recv(1 << 16)
        theirs.sendall(told(device, 0, offer) + told(offer, 0, "text/plain") + told(device, 1, offer))
        assert clipboard.take() == []
        _, pipes[:], _, _ = socket.recv_fds(theirs, 1 << 16, 1)
        theirs.sendall(told(device, 1, 0))  # it was emptied
        (change,) = clipboard.take()
    assert (change.outcome, change.content) == (READ, b"whole")


def told(sender: int, opcode: int, *arguments: int | str) -> bytes:
    """What a Wayland display says."""
    texts = {each: each.encode() + b"\0" for each in arguments if isinstance(each, str)}
    padded = {each: struct.pack("=I", len(text)) + text + bytes(-len(text) % 4) for each, text in texts.items()}
    body = b"".join(struct.pack("=I", each) if isinstance(each, int) else padded[each] for each in arguments)
    return struct.pack("=IHH", sender, opcode, 8 + len(body)) + body


def test_the_error_of_a_wayland_display_is_told(end: socket.socket) -> None:
    clipboard, display = met(end, wayland)
    display.sendall(struct.pack("=IHHIII", 1, 0, 24, 3, 1, 4) + b"bad\0")
    with pytest.raises(DisplayError, match="it told of an error: bad"):
        clipboard.take()


def test_a_display_that_does_not_read_is_given_up_at_a_limit(end: socket.socket) -> None:
    stream = Stream(str(end.getsockname()))
    stream.send(bytes(1 << 22))
    assert stream.unsent
    with pytest.raises(DisplayError, match="does not read"):
        stream.send(bytes(1 << 22))


def test_what_could_not_be_sent_goes_later(end: socket.socket) -> None:
    stream = Stream(str(end.getsockname()))
    stream.send(b"x" * (1 << 20))
    assert stream.unsent
    display, got = end.accept()[0], 0
    while got < 1 << 20:
        got += len(display.recv(1 << 16))
        stream.flush()
    assert not stream.unsent


def test_nobody_listens_is_an_error_of_the_display(tmp_path: Path) -> None:
    with pytest.raises(DisplayError, match="cannot connect"):
        Stream(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("targets", "chosen"),
    [
        (("TARGETS", "STRING", "UTF8_STRING"), "UTF8_STRING"),
        (("text/html", "text/plain", "STRING"), "text/plain"),
        (("TIMESTAMP", "image/png", "image/bmp"), "image/png"),
        (("TARGETS", "MULTIPLE", ""), ""),
    ],
)
def test_text_is_chosen_before_all_else(targets: tuple[str, ...], chosen: str) -> None:
    assert choice(targets) == chosen


def test_texts_of_wayland_are_cut_and_padded() -> None:
    request = wayland_wire.receive(5, "text/plain")
    assert len(request) == wayland_wire.message_size(request) == 24
    assert wayland_wire.text(wayland_wire.message(request).body) == "text/plain"
    assert len(wayland_wire.text(struct.pack("=I", 4000) + b"x" * 4000)) == 512


def test_content_is_believed_only_if_nobody_can_change_it(tmp_path: Path) -> None:
    good = sealed(b"text")
    loose = os.memfd_create("loose", os.MFD_ALLOW_SEALING)
    os.write(loose, b"text")
    (tmp_path / "f").write_bytes(b"text")
    plain = os.open(tmp_path / "f", os.O_RDONLY)
    assert [is_sealed(file, 4) for file in (good, loose, plain)] == [True, False, False]
    assert not is_sealed(good, 5)
    with pytest.raises(PermissionError):
        os.write(good, b"x")
    for file in (good, loose, plain):
        os.close(file)
