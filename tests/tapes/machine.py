"""A scene of the machine, for a tape: libraries, a disk that is read, a BPF program, and a signal to who watches."""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import struct
import subprocess

LOOP = os.makedev(7, 0)
BPF, LOAD, SOCKET_FILTER = {"x86_64": 321, "aarch64": 280}[os.uname().machine], 5, 1
NOTHING = struct.pack("<BBhi", 0xB7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0)  # return 0


def read_a_disk() -> None:
    os.mknod("disk", stat.S_IFBLK | 0o600, LOOP)
    os.close(os.open("disk", os.O_RDONLY))


def load_a_program() -> None:
    text, terms = ctypes.create_string_buffer(NOTHING), ctypes.create_string_buffer(b"GPL")
    asked = struct.pack(
        "<IIQQIIQII16s", SOCKET_FILTER, 2, ctypes.addressof(text), ctypes.addressof(terms), *[0] * 5, b"nothing"
    )
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(BPF, LOAD, asked + bytes(8), len(asked) + 8) < 0:
        raise OSError(ctypes.get_errno(), "no BPF program can be loaded")


subprocess.run(["/usr/bin/true"], check=True)
read_a_disk()
load_a_program()
os.kill(int(os.environ["RECORDER"]), signal.SIGCONT)
