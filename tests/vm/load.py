"""Storms of programs, files and connections inside the guest: of a bounded count, with names never used before."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

_numbers = itertools.count(1)


def programs(count: int) -> None:
    """Run that many programs by a shell, each with another command line."""
    first = next(_numbers) * 100_000
    loop = f"i={first}; while [ $i -lt {first + count} ]; do /bin/true number $i; i=$((i+1)); done"
    subprocess.run(["/bin/sh", "-c", loop], check=True, timeout=300)


def files(count: int) -> None:
    """Create, write, rename and delete that many files."""
    folder = Path(f"/var/tmp/storm-{next(_numbers)}")
    folder.mkdir()
    for number in range(count):
        path = folder / f"file-{number}.txt"
        path.write_text("x" * 100)
        path.rename(path.with_suffix(".done"))
        path.with_suffix(".done").unlink()
    shutil.rmtree(folder)


def connections(count: int) -> None:
    """Make that many TCP connections over loopback, and send a datagram after each."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        taker = threading.Thread(target=_take, args=(server, count))
        taker.start()
        for _ in range(count):
            with socket.create_connection(server.getsockname(), timeout=60) as client:
                client.sendall(b"x")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"x", receiver.getsockname())
            receiver.recv(16)
        taker.join()
    os.sync()


def _take(server: socket.socket, count: int) -> None:
    for _ in range(count):
        taken, _ = server.accept()
        with taken:
            taken.recv(16)
