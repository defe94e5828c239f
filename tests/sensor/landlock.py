"""What a process forbids itself by Landlock: the kernel refuses it where a security module is asked, and not before."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

from tests.sensor.provoke import call

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all architectures
_REMOVE_FILE, _PATH_BENEATH = 1 << 5, 1  # linux/landlock.h
_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
_QUERY_VERSION = 1


def has_landlock() -> bool:
    """Does this kernel know it, and has it been asked to use it?"""
    version: int = ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _QUERY_VERSION)
    return version > 0


def remove_only_in(folder: Path) -> None:
    """From now on this thread, and what it starts, removes no file anywhere else."""
    handled = struct.pack("Q", _REMOVE_FILE)
    rules = call("syscall", _CREATE_RULESET, handled, len(handled), 0)
    below = struct.pack("=Qi", _REMOVE_FILE, os.open(folder, os.O_PATH))
    call("syscall", _ADD_RULE, rules, _PATH_BENEATH, below, 0)
    call("prctl", _SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    call("syscall", _RESTRICT_SELF, rules, 0)
