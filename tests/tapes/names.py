"""A scene for a tape: names that are looked up, in a network of its own with a server for three of them."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import threading

NEWNS, NEWNET, PRIVATE, BIND = 0x20000, 0x40000000, 0x44000, 0x1000
FILES = {
    "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    "nsswitch.conf": "hosts: files dns\n",
    "hosts": "192.0.2.99 printer\n",
}
ALIAS = struct.pack(">3HIH", 0xC00C, 5, 1, 60, 18) + b"\x03www\x04test\x07example\0"
ADDRESS = struct.pack(">HHIH", 1, 1, 60, 4) + bytes([192, 0, 2, 7])
TEXT = struct.pack(">3HIH", 0xC00C, 16, 1, 60, 6) + b"\x05a b;c"
ANSWERS = {  # by name and type: how many, and what they are
    (b"www.test.example", 1): (1, b"\xc0\x0c" + ADDRESS),
    (b"alias.test.example", 1): (2, ALIAS + b"\x03www\x04test\x07example\0" + ADDRESS),
    (b"text.test.example", 16): (1, TEXT),
}
NAMES = {name for name, _ in ANSWERS}
SILENT = b"silent.test.example"


def be_alone() -> None:
    """In a network with nothing but a loopback device, and with other files in /etc."""
    libc = ctypes.CDLL(None)
    assert libc.unshare(NEWNS | NEWNET) == 0
    libc.mount(b"none", b"/", None, ctypes.c_ulong(PRIVATE), None)
    for name, text in FILES.items():
        with open(name, "w", encoding="ascii") as file:
            file.write(text)
        libc.mount(name.encode(), os.path.realpath(f"/etc/{name}").encode(), None, ctypes.c_ulong(BIND), None)
    with socket.socket(type=socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x49))  # up, a loopback, running


def reply(asked: bytes) -> bytes:
    at, labels = 12, []
    while asked[at]:
        labels.append(asked[at + 1 : at + 1 + asked[at]])
        at += 1 + asked[at]
    name, kind = b".".join(labels), int.from_bytes(asked[at + 1 : at + 3])
    if name == SILENT:
        return b""
    count, answers = ANSWERS.get((name, kind), (0, b""))
    flags = 0x8180 if name in NAMES else 0x8183
    return asked[:2] + struct.pack(">5H", flags, 1, count, 0, 0) + asked[12 : at + 5] + answers


def serve(server: socket.socket) -> None:
    while True:
        asked, peer = server.recvfrom(512)
        if made := reply(asked):
            server.sendto(made, peer)


def ask(name: bytes, kind: int) -> None:
    """As programs do that bring their own resolver."""
    labels = b"".join(bytes([len(label)]) + label for label in name.split(b"."))
    with socket.socket(type=socket.SOCK_DGRAM) as made:
        made.connect(("127.0.0.1", 53))
        made.settimeout(0.2)
        made.send(struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1))
        try:
            made.recv(512)
        except TimeoutError:
            return


be_alone()
SERVER = socket.socket(type=socket.SOCK_DGRAM)
SERVER.bind(("127.0.0.1", 53))
threading.Thread(target=serve, args=(SERVER,), daemon=True).start()
for wanted in ("printer", "www.test.example", "alias.test.example", "nothing.example"):
    subprocess.run(["/usr/bin/getent", "ahosts", wanted], stdout=subprocess.DEVNULL, check=False)
ask(b"text.test.example", 16)
ask(b"www.test.example", 28)
ask(SILENT, 1)
