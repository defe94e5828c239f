"""IMPHASH of a Windows program of our own making."""

from __future__ import annotations

import hashlib
import struct

import pytest

from pysmon.host.imphash import imphash

BASE = 0x1000  # of the one section, in memory; in the file it begins at 0x200


def windows_program(dll: bytes, function: bytes) -> bytes:
    """The smallest PE32 file with one import."""
    names = dll + b"\0" + b"\0\0" + function + b"\0"
    thunks = 40  # behind two import descriptors, the second one empty
    text = BASE + thunks + 16
    lookup = struct.pack("<II", text + len(dll) + 1, 0)
    table = struct.pack("<5I", BASE + thunks, 0, 0, text, BASE + thunks + 8) + bytes(20) + lookup * 2 + names
    section = table.ljust(0x200, b"\0")
    sizes = struct.pack("<HBB9I", 0x10B, 0, 0, 0, 0x200, 0, 0, BASE, BASE, 0x400000, 0x1000, 0x200)
    versions = struct.pack("<6H4IHH", 4, 0, 0, 0, 4, 0, 0, 0x2000, 0x200, 0, 3, 0)
    optional = sizes + versions + struct.pack("<6I", 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    directories = struct.pack("<4I", 0, 0, BASE, 40).ljust(128, b"\0")
    head = b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 1, 0, 0, 0, len(optional) + 128, 0x102)
    header = struct.pack("<8s6IHHI", b".idata", 0x200, BASE, 0x200, 0x200, 0, 0, 0, 0, 0x40000040)
    stub = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    return (stub + head + optional + directories + header).ljust(0x200, b"\0") + section


def test_an_imphash_is_the_md5_of_the_imported_names() -> None:
    pytest.importorskip("pefile", reason="the package pefile (extra `pe`) is not installed")
    expected = hashlib.md5(b"kernel32.exitprocess").hexdigest()
    assert imphash(windows_program(b"KERNEL32.dll", b"ExitProcess")) == expected
