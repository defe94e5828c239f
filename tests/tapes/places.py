"""A scene for a tape: settings of the kernel, attributes of files, and places where processes meet."""

from __future__ import annotations

import ctypes
import os
import socket
from pathlib import Path

NEW_NAMES, NEW_NETWORK = 0x4000000, 0x40000000  # CLONE_NEWUTS, CLONE_NEWNET
SETTINGS = Path("/proc/sys")


def settings() -> None:
    """Only those of namespaces of our own."""
    if ctypes.CDLL(None).unshare(NEW_NAMES | NEW_NETWORK):
        raise OSError("no namespaces of our own can be had")
    (SETTINGS / "net/ipv4/ip_forward").write_text("1\n")
    (SETTINGS / "net/ipv4/ip_default_ttl").write_text("128\n")
    socket.sethostname("before")
    (SETTINGS / "kernel/hostname").write_text("after")


def attributes() -> None:
    Path("tool.sh").touch()
    os.setxattr("tool.sh", "user.xdg.origin.url", b"https://example.org/tool.sh")
    os.setxattr("tool.sh", "user.lines", b"[ZoneTransfer]\r\nZoneId=3\r\n")
    os.setxattr("tool.sh", "user.bytes", bytes(range(256)))


def meetings() -> None:
    os.mkfifo("fifo")
    for name in ("socket", "\0abstract"):
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(name)
            server.listen()
            if os.fork() == 0:
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(name)
                os._exit(0)
            server.accept()
            os.wait()
    if os.fork() == 0:
        Path("fifo").write_text("text")
        os._exit(0)
    Path("fifo").read_text()
    os.wait()


settings()
attributes()
meetings()
