"""A scene for a tape that is recorded in a throw-away machine: a module, and settings that come and are renamed."""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
import subprocess

NEW_NETWORK = 0x40000000  # CLONE_NEWNET
SET_FLAGS, SET_NAME = 0x8914, 0x8923  # linux/sockios.h

subprocess.run(["/sbin/modprobe", "dummy"], check=True)
subprocess.run(["/sbin/rmmod", "dummy"], check=True)
if ctypes.CDLL(None).unshare(NEW_NETWORK):
    raise OSError("no network of our own can be had")
with socket.socket(type=socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH14x", b"lo", 0))
    fcntl.ioctl(any_socket, SET_NAME, struct.pack("16s16s", b"lo", b"renamed0"))
