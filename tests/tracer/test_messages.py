"""What a call has moved, read from the memory of a process: here our own."""

from __future__ import annotations

import ctypes
import os
import socket
import struct

import pytest

from pysmon.tracer.calls import Call, calls
from pysmon.tracer.messages import Moved, moved
from pysmon.tracer.ptrace import Ptrace
from pysmon.tracer.sockets import Peer

HERE = os.getpid()
DATA = ctypes.create_string_buffer(b"question and more", 17)
AT = ctypes.addressof(DATA)
SERVER = (2, socket.inet_aton("192.0.2.1") + bytes(12), 53)
ADDRESS = ctypes.create_string_buffer(struct.pack("<H", 2) + b"\0\x35" + socket.inet_aton("192.0.2.1") + bytes(8))
NAMED: dict[str, Call] = {call.name: call for call in calls("x86_64").values()}
NOWHERE = 8


def kept(data: bytes) -> tuple[int, ctypes.Array[ctypes.c_char]]:
    """Its address, and what must live as long."""
    room = ctypes.create_string_buffer(data, len(data))
    return ctypes.addressof(room), room


def all_of(name: str, *arguments: int, result: int) -> list[tuple[int, bytes, Peer | None]]:
    found = moved(NAMED[name], (*arguments, *[0] * (6 - len(arguments))), result, HERE, Ptrace())
    return [(each.size, each.read(HERE, Ptrace(), 4096), each.peer) for each in found]


def pieces(*sizes: int) -> bytes:
    starts = [AT + sum(sizes[:i]) for i in range(len(sizes))]
    return b"".join(struct.pack("<QQ", *piece) for piece in zip(starts, sizes, strict=True))


def test_only_what_was_moved_is_read() -> None:
    assert all_of("write", 3, AT, 17, result=8) == [(8, b"question", None)]


def test_an_address_is_read_where_the_call_names_one() -> None:
    name = ctypes.addressof(ADDRESS)
    assert all_of("sendto", 3, AT, 8, 0, name, 16, result=8) == [(8, b"question", SERVER)]
    assert all_of("sendto", 3, AT, 8, 0, 0, 16, result=8) == [(8, b"question", None)]


@pytest.mark.parametrize(("length", "peer"), [(16, SERVER), (0, None)])
def test_an_address_that_was_received_is_as_long_as_the_kernel_says(length: int, peer: Peer | None) -> None:
    told, _alive = kept(length.to_bytes(4, "little"))
    found = all_of("recvfrom", 3, AT, 8, 0, ctypes.addressof(ADDRESS), told, result=8)
    assert found == [(8, b"question", peer)]


def test_pieces_are_put_together_and_what_they_hold_beyond_is_left() -> None:
    at, _alive = kept(pieces(4, 3, 10))
    assert all_of("writev", 3, at, 3, result=9) == [(9, b"question ", None)]


def test_messages_that_are_moved_at_once_are_told_each() -> None:
    vector, _alive = kept(pieces(8))
    each = struct.pack("<QI4xQQQQQ", ctypes.addressof(ADDRESS), 16, vector, 1, 0, 0, 0)
    at, _alive_too = kept(struct.pack("<56sI4x56sI4x", each, 8, each, 3))
    assert all_of("sendmmsg", 3, at, 2, result=2) == [(8, b"question", SERVER), (3, b"que", SERVER)]
    assert all_of("sendmmsg", 3, at, 2, result=1) == [(8, b"question", SERVER)]


def test_memory_that_is_not_there_brings_nothing_and_no_error() -> None:
    assert all_of("write", 3, NOWHERE, 8, result=8) == [(8, b"", None)]
    assert all_of("sendmsg", 3, NOWHERE, 0, result=8) == []
    assert all_of("recvmmsg", 3, NOWHERE, 4, result=4) == []
    assert all_of("readv", 3, NOWHERE, 2, result=8) == [(8, b"", None)]


def test_no_more_is_read_than_is_asked_for() -> None:
    assert Moved(17, ((AT, 17),)).read(HERE, Ptrace(), 8) == b"question"
    assert Moved(17, ((AT, 4), (NOWHERE, 4), (AT + 4, 9))).read(HERE, Ptrace(), 17) == b"ques"
