"""What a file is by its first bytes: a program that a kernel runs, or that another system's does."""

from __future__ import annotations

HEAD = 4  # bytes that are needed to tell
_KINDS = ((b"\x7fELF", "ELF"), (b"#!", "script"), (b"MZ", "PE"), (b"\0asm", "WebAssembly"))
KINDS = ("", *(name for _, name in _KINDS))  # as numbered in records; the first is no program


def kind_of(head: bytes) -> int:
    """Which of KINDS a file is that begins so."""
    return next((number for number, (magic, _) in enumerate(_KINDS, 1) if head.startswith(magic)), 0)
