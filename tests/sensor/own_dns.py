"""A DNS of one's own: a server for a few names in one's own network, which the C library asks."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.sensor.own_network import own_network
from tests.sensor.provoke import bind, mount, own_mounts

A, CNAME, PTR, MX, TXT, AAAA, SRV = 1, 5, 12, 15, 16, 28, 33
SILENT, TRUNCATED = "silent", "truncated"
Zone = Mapping[tuple[str, int], "list[tuple[int, bytes]] | int | str"]  # answers, an RCODE, or SILENT


def name(text: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def question(text: str, kind: int = A, number: int = 0x1234, flags: int = 0x0100) -> bytes:
    return struct.pack(">6H", number, flags, 1, 0, 0, 0) + name(text) + struct.pack(">2H", kind, 1)


def answered(asked: bytes, answers: list[tuple[int, bytes]], *, status: int = 0, truncated: bool = False) -> bytes:
    """The reply to a question; each answer is about the name that was asked for, or that the alias before it gives."""
    made = asked[:2] + struct.pack(">5H", 0x8180 | status | 0x0200 * truncated, 1, len(answers), 0, 0) + asked[12:]
    owner = 12
    for kind, data in answers:
        made += struct.pack(">3HIH", 0xC000 | owner, kind, 1, 60, len(data)) + data
        owner = len(made) - len(data) if kind == CNAME else owner
    return made


def ipv4(text: str) -> tuple[int, bytes]:
    return A, socket.inet_aton(text)


def ipv6(text: str) -> tuple[int, bytes]:
    return AAAA, socket.inet_pton(socket.AF_INET6, text)


def alias(text: str) -> tuple[int, bytes]:
    return CNAME, name(text)


ZONE: Zone = {
    ("www.test.example", A): [ipv4("192.0.2.7")],
    ("www.test.example", AAAA): [ipv6("2001:db8::7")],
    ("alias.test.example", A): [alias("www.test.example"), ipv4("192.0.2.7")],
    ("alias.test.example", AAAA): [alias("www.test.example"), ipv6("2001:db8::7")],
    ("old.test.example", A): [ipv4("192.0.2.1"), ipv4("192.0.2.2")],
    ("text.test.example", TXT): [(TXT, b"\x05a b;c\x03xyz")],
    ("mail.test.example", MX): [(MX, b"\0\x0a" + name("mx.test.example"))],
    ("big.test.example", A): TRUNCATED,
    ("silent.test.example", A): SILENT,
    ("silent.test.example", AAAA): SILENT,
    ("failing.test.example", A): 2,
    ("failing.test.example", AAAA): 2,
    ("refused.test.example", A): 5,
}


def own_dns(zone: Zone = ZONE, *, hosts: str = "127.0.0.1 localhost\n", patience: int = 30) -> None:
    """Be in a network and a view of the disk where 127.0.0.1 answers for that zone, over UDP and TCP, in a thread.

    `patience`: s that the C library waits for an answer.
    """
    own_network()
    own_mounts()
    folder = Path(tempfile.mkdtemp(prefix="dns-"))
    texts = {
        "resolv.conf": f"nameserver 127.0.0.1\noptions timeout:{patience} attempts:1\n",
        "nsswitch.conf": "hosts: files dns\n",
        "hosts": hosts,
    }
    if absent := [file for file in texts if not os.path.lexists(f"/etc/{file}")]:
        _own_folder(Path("/etc"), folder / "etc")
        for file in absent:  # nothing can be bound where nothing is
            Path("/etc", file).touch()
    for file, text in texts.items():
        (folder / file).write_text(text)
        bind(str(folder / file), os.path.realpath(f"/etc/{file}"))
    shutil.rmtree(folder)  # what is bound stays
    serve(zone)


def _own_folder(folder: Path, by_way_of: Path) -> None:
    """Have what stands in a folder in memory instead, where it can be changed without anybody else seeing it."""
    shutil.copytree(folder, by_way_of, symlinks=True)
    mount("none", str(folder), "tmpfs")
    shutil.copytree(by_way_of, folder, symlinks=True, dirs_exist_ok=True)


def serve(zone: Zone) -> None:
    """Answer, in threads that end with the process."""
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 53))
    streams = socket.create_server(("127.0.0.1", 53))
    for target, of in ((_datagrams, datagrams), (_streams, streams)):
        threading.Thread(target=target, args=(of, zone), daemon=True).start()


def reply(asked: bytes, zone: Zone, *, over_tcp: bool) -> bytes | None:
    at, labels = 12, []
    while asked[at]:
        labels.append(asked[at + 1 : at + 1 + asked[at]].decode())
        at += 1 + asked[at]
    (kind,) = struct.unpack_from(">H", asked, at + 1)
    whole = asked[: at + 5]
    wanted = ".".join(labels).lower()
    known = any(each == wanted for each, _ in zone)
    found = zone.get((wanted, kind), [] if known else 3)
    if found == SILENT:
        return None
    if found == TRUNCATED:
        found = [ipv4(f"192.0.2.{i}") for i in range(1, 31)] if over_tcp else []
        return answered(whole, found, truncated=not over_tcp)
    return answered(whole, [], status=found) if isinstance(found, int) else answered(whole, list(found))  # type: ignore[arg-type]


def _datagrams(server: socket.socket, zone: Zone) -> None:
    while True:
        asked, peer = server.recvfrom(512)
        made = reply(asked, zone, over_tcp=False)
        if made:
            server.sendto(made, peer)


def _streams(server: socket.socket, zone: Zone) -> None:
    while True:
        client, _ = server.accept()
        with client, suppress(OSError):
            while size := client.recv(2, socket.MSG_WAITALL):
                made = reply(client.recv(int.from_bytes(size), socket.MSG_WAITALL), zone, over_tcp=True)
                if made:
                    client.sendall(len(made).to_bytes(2) + made)
