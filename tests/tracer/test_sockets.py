"""Both ends of a socket, from /proc."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

import pytest

from pysmon.tracer.sockets import address_in, ends_of

HOME = bytes([127, 0, 0, 1]) + bytes(12)


def test_both_ends_of_a_connection_are_found() -> None:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
        ends = ends_of(os.getpid(), client.fileno())
        assert ends
        assert (ends.protocol, ends.family, ends.inode) == (6, 2, os.fstat(client.fileno()).st_ino)
        assert ends.local == (HOME, client.getsockname()[1])
        assert ends.remote == (HOME, server.getsockname()[1])


def test_ipv4_over_a_socket_for_ipv6_is_ipv4() -> None:
    if not socket.has_ipv6 or not Path("/proc/net/udp6").exists():
        pytest.skip("no IPv6 here")
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.connect(("::ffff:127.0.0.1", 9))
        ends = ends_of(os.getpid(), sender.fileno())
        assert ends
        assert (ends.protocol, ends.family, ends.remote) == (17, 2, (HOME, 9))


def test_what_is_no_socket_of_ip_has_no_ends(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unix, (tmp_path / "f").open("w") as file:
        assert ends_of(os.getpid(), unix.fileno()) is None
        assert ends_of(os.getpid(), file.fileno()) is None
    assert ends_of(os.getpid(), 9999) is None
    assert ends_of(0, 0) is None


def test_an_address_in_memory_is_read() -> None:
    assert address_in(struct.pack("<H", 2) + b"\0\x35" + bytes([1, 2, 3, 4]) + bytes(8)) == (
        *(2, bytes([1, 2, 3, 4]) + bytes(12)),
        53,
    )
    assert address_in(struct.pack("<H", 10) + b"\x01\xbb" + bytes(4) + bytes(range(16)) + bytes(4)) == (
        *(10, bytes(range(16))),
        443,
    )
    for odd in (b"", b"\x02", b"\x02\0\0\0", b"\x0a\0" + bytes(10), b"\x01\0/run/x"):
        assert address_in(odd) is None
