"""What a file is by its first bytes: a program that a kernel runs, or that another system's does."""

from __future__ import annotations

HEAD = 4  # bytes that are needed to tell
LEAST = 2  # bytes that a file has at least if it is a program
_KINDS = ((b"\x7fELF", "ELF"), (b"#!", "script"), (b"MZ", "PE"), (b"\0asm", "WebAssembly"))
KINDS = ("", *(name for _, name in _KINDS))  # as numbered in records; the first is no program
_BEGINNINGS = frozenset(magic[:LEAST] for magic, _ in _KINDS)  # most files begin with none of them


def kind_of(head: bytes) -> int:
    """Which of KINDS a file is that begins so."""
    if head[:LEAST] not in _BEGINNINGS:
        return 0
    return next((number for number, (magic, _) in enumerate(_KINDS, 1) if head.startswith(magic)), 0)
