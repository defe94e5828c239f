"""The addresses of a process's socket, from /proc/PID/net: nobody else tells them to who has no privileges."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

_TABLES = (("tcp", 6, 2), ("tcp6", 6, 10), ("udp", 17, 2), ("udp6", 17, 10))  # with protocol and family
_MAPPED = bytes(10) + b"\xff\xff"
Peer = tuple[int, bytes, int]  # family, address, port


@dataclass(frozen=True, slots=True)
class Ends:
    """A socket of IP. An address is 16 bytes; IPv4 stands in the first 4."""

    inode: int
    protocol: int  # 6: TCP, 17: UDP
    family: int  # 2: IPv4, 10: IPv6
    local: tuple[bytes, int]
    remote: tuple[bytes, int]


def ends_of(pid: int, descriptor: int, proc: Path = Path("/proc")) -> Ends | None:
    """Both ends of the socket behind a descriptor of that process; None if it is none of TCP or UDP."""
    at = proc / str(pid)
    number = socket_behind(f"{at}/fd/{descriptor}")
    if not number:
        return None
    inode = str(number).encode()
    for table, protocol, family in _TABLES:
        try:
            lines = (at / "net" / table).read_bytes().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) > 9 and fields[9] == inode:
                return _plain(Ends(number, protocol, family, _end(fields[1]), _end(fields[2])))
    return None


def socket_behind(link: str) -> int:
    """The inode of the socket behind such a link of /proc/PID/fd; 0 if there is none."""
    try:
        name = os.readlink(link)
    except OSError:
        return 0
    return int(name[len("socket:[") : -1]) if name.startswith("socket:[") else 0


def address_in(data: bytes) -> Peer | None:
    """Family, address and port of a struct sockaddr; None if it is none of IP. IPv4 as IPv6 writes it is IPv4."""
    if len(data) >= 8 and data[:2] == b"\2\0":
        return 2, data[4:8] + bytes(12), int.from_bytes(data[2:4], "big")
    if len(data) >= 24 and data[:2] == b"\x0a\0":
        if data[8:20] == _MAPPED:
            return 2, data[20:24] + bytes(12), int.from_bytes(data[2:4], "big")
        return 10, data[8:24], int.from_bytes(data[2:4], "big")
    return None


def _end(text: bytes) -> tuple[bytes, int]:
    """Words of 32 bits in the order of the machine, as the kernel prints them."""
    address, _, port = text.partition(b":")
    words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
    return struct.pack(f"={len(words)}I", *words).ljust(16, b"\0"), int(port, 16)


def _plain(found: Ends) -> Ends:
    """IPv4 over a socket for IPv6 is IPv4."""
    if found.family == 10 and found.remote[0].startswith(_MAPPED):
        local, remote = ((end[0][12:].ljust(16, b"\0"), end[1]) for end in (found.local, found.remote))
        return Ends(found.inode, found.protocol, 2, local, remote)
    return found
