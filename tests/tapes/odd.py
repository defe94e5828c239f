"""A scene of oddities, for a tape: names that lines must escape, users, signals, addresses, programs without a file."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

NAMES = (
    b"new\nline",
    b"tab\there",
    b"<&>\"'",
    b"escape\x1b[31m",
    b"not-utf-8\xff\xfe",
    "h\u00e9l\u00e8ne \u2028\u0085\U0001f600".encode(),
    b"\xed\xa0\x80",  # a surrogate, as no UTF-8 may have it
)
TRUE = "/usr/bin/true"
NOBODY = 65534


def child(act: Callable[..., object], *arguments: Any) -> None:
    """Do something in a process of its own, to its end."""
    pid = os.fork()
    if pid == 0:
        try:
            act(*arguments)
        finally:
            os._exit(3)
    os.waitpid(pid, 0)


def program(*command: str | bytes) -> None:
    os.execv(command[0], command)


def as_nobody() -> None:
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    program(TRUE, "as", "nobody")


def copy_of_true(into: int) -> None:
    with open(TRUE, "rb") as file:
        os.sendfile(into, file.fileno(), 0, 1 << 20)


def without_a_file() -> None:
    fd = os.memfd_create("nothing")
    copy_of_true(fd)
    os.execve(fd, ["memory"], {})


def deleted_before_it_runs() -> None:
    fd = os.open("copy", os.O_CREAT | os.O_WRONLY, 0o755)
    copy_of_true(fd)
    os.close(fd)
    fd = os.open("copy", os.O_RDONLY)
    os.unlink("copy")
    os.execve(fd, ["copy"], {})


def orphan() -> None:
    """Its parent is gone before it runs anything: somebody else is its parent then."""
    parent = os.getpid()
    if os.fork() == 0:
        while os.getppid() == parent:
            time.sleep(0.001)
        program(TRUE, "orphan")


def files() -> None:
    for name in NAMES:
        open(name, "wb").close()
        os.unlink(name)
    os.mkdir("folder")
    os.chdir("folder")
    open("../folder/./relative", "w").close()
    os.link("relative", "linked")
    os.rename("relative", "../moved")
    os.chdir("..")
    os.unlink("moved")
    os.unlink("folder/linked")
    os.rmdir("folder")


def talk(family: int, kind: int, address: str) -> None:
    with socket.socket(family, kind) as server, socket.socket(family, kind) as client:
        server.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            server.listen()
        client.connect(server.getsockname())
        client.send(b"hello")
        if kind == socket.SOCK_STREAM:
            server.accept()[0].close()
        else:
            server.recvfrom(10)


def main() -> None:
    os.chdir(os.path.dirname(sys.argv[0]))
    for name in NAMES:
        child(program, TRUE, name)
    child(program, TRUE, "", " ", "last")
    child(as_nobody)
    child(without_a_file)
    child(deleted_before_it_runs)
    child(orphan)
    child(os.abort)
    child(program, "/usr/bin/sh", "-c", "kill -9 $$")
    child(program, "/usr/bin/sh", "-c", "exec sh -c 'exec true again'")
    files()
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            talk(family, kind, address)


main()
