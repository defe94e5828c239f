"""IMPHASH: the hash of what a Windows program imports. Needs the package `pefile` (extra `pe`)."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

NEEDS = "IMPHASH needs the package pefile"


def imphash(data: bytes) -> str | None:
    """32 hex digits for a PE file with imports, "" for any other, None if `pefile` is not installed."""
    pefile = _pefile()
    if pefile is None:
        return None
    try:
        program = pefile.PE(data=data, fast_load=True)
        program.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_IMPORT"]])
        return str(program.get_imphash())
    except Exception:  # the file is a stranger's: whatever its reader stumbles over, it has no IMPHASH
        return ""


@cache
def _pefile() -> Any | None:
    try:
        return importlib.import_module("pefile")
    except ImportError:
        return None
