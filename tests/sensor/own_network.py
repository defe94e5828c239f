"""A network of one's own, with nothing in it but a loopback device; and what two ends of a connection know of it."""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from tests.sensor.provoke import CLONE_NEWNET, call

from pysmon.schema.catalogue import NetworkConnect

_GET_FLAGS, _SET_FLAGS, _SET_MTU = 0x8913, 0x8914, 0x8922  # linux/sockios.h
_UP = 1

Ends = tuple[str, int, str, int]  # source address and port, destination address and port


def own_network() -> None:
    """Leave the machine's network for a new one, in which 127.0.0.1 and ::1 work."""
    call("unshare", CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = fcntl.ioctl(any_socket, _GET_FLAGS, struct.pack("16sH14x", b"lo", 0))
        flags = struct.unpack_from("H", request, 16)[0] | _UP
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", flags))


def set_largest_packet(size: int) -> None:
    """Longer packets go over the loopback device in fragments."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_MTU, struct.pack("16si12x", b"lo", size))


@contextmanager
def listener(family: int = socket.AF_INET, address: str = "") -> Iterator[socket.socket]:
    with socket.socket(family) as made:
        made.bind((address or loopback(family), 0))
        made.listen()
        yield made


@contextmanager
def datagrams(family: int = socket.AF_INET) -> Iterator[socket.socket]:
    """A UDP socket on a port of its own."""
    with socket.socket(family, socket.SOCK_DGRAM) as made:
        made.bind((loopback(family), 0))
        yield made


def loopback(family: int) -> str:
    return "::1" if family == socket.AF_INET6 else "127.0.0.1"


def ends(source: socket.socket, destination: socket.socket) -> Ends:
    """What two sockets know of themselves, in the words of the event."""
    return (*told(source.getsockname()), *told(destination.getsockname()))


def told(address: tuple[str, int]) -> tuple[str, int]:
    """An address and port as events write them: IPv6 in eight groups, IPv4 in IPv6 as IPv4."""
    text, port = address[0], address[1]
    if ":" not in text:
        return text, port
    raw = socket.inet_pton(socket.AF_INET6, text)
    if raw.startswith(bytes(10) + b"\xff\xff"):
        return socket.inet_ntop(socket.AF_INET, raw[12:]), port
    return ":".join(f"{part:x}" for part in struct.unpack(">8H", raw)), port


def ends_of(event: NetworkConnect) -> Ends:
    return event.SourceIp, event.SourcePort, event.DestinationIp, event.DestinationPort
