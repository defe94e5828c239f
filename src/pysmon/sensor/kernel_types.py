"""The part of the kernel's types that the programs name, in a file: made once for a kernel, read at every start."""

from __future__ import annotations

import os
import stat
import struct
import zlib
from contextlib import suppress
from pathlib import Path

from pysmon.sensor.btf import Btf, BtfError, mark_of, names_asked_for, part_of

_BTF, _VMLINUX, _NOTES = Path("/sys/kernel/btf"), "vmlinux", Path("/sys/kernel/notes")
_NOTE = struct.Struct("<III4s")  # length of the name, of what follows, kind, name
_BUILD_ID = 3  # NT_GNU_BUILD_ID
_LIMIT = 1 << 22  # bytes; some 100,000 are expected
_WRITABLE_BY_OTHERS = 0o022


class KernelTypes:
    """Such a file. It is used only if it was made for this very kernel and these very programs."""

    def __init__(self, path: Path, program: Path, *, types: Path = _BTF, notes: Path = _NOTES) -> None:
        """`path` need not be there; `program` is the object file. `types`, `notes`: what the kernel tells of itself."""
        self._path, self._program, self._types, self._notes = path, program, types, notes

    def open(self) -> int | None:
        """A descriptor of the file, which is the caller's to close; None if there is none that fits."""
        try:
            found = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        about = os.fstat(found)
        ours = stat.S_ISREG(about.st_mode) and about.st_uid in (0, os.geteuid())
        safe = ours and not about.st_mode & _WRITABLE_BY_OTHERS and about.st_size <= _LIMIT
        if safe and (mark := self._mark()) and mark_of(os.pread(found, _LIMIT, 0)) == mark:
            return found
        os.close(found)
        return None

    def make(self) -> str:
        """Make it anew; "" or why that is not possible, which harms nothing."""
        try:
            mark, names = self._mark(), names_asked_for(self._program.read_bytes())
            if not mark:
                return "the kernel has no build id"
            part, missing = part_of(Btf.read((self._types / _VMLINUX).read_bytes()), names, mark)
            if self._in_modules(missing):
                return "types stand in modules"
            self._write(part)
        except (BtfError, OSError, struct.error, ValueError, IndexError) as error:
            return str(error) or type(error).__name__
        return ""

    def _mark(self) -> bytes:
        """What the file must have been made for; empty if the kernel does not say which it is."""
        try:
            notes, program = self._notes.read_bytes(), self._program.read_bytes()
        except OSError:
            return b""
        build = _build_id(notes)
        return f"{build.hex()} {len(program)} {zlib.crc32(program):08x}".encode() if build else b""

    def _in_modules(self, names: frozenset[bytes]) -> bool:
        """libbpf looks there, too, for what is not among the kernel's own types; but not where it is given a part."""
        words = [b"\0%s\0" % name for name in names]
        modules = (path for path in self._types.iterdir() if path.name != _VMLINUX) if words else ()
        return any(word in data for data in map(Path.read_bytes, modules) for word in words)

    def _write(self, part: bytes) -> None:
        """Whole or not at all."""
        new = self._path.with_name(f"{self._path.name}.new")
        with suppress(FileNotFoundError):
            new.unlink()
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(part)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)


def _build_id(notes: bytes) -> bytes:
    """That of the kernel; empty if it is not among its notes."""
    at = 0
    while at + _NOTE.size <= len(notes):
        name, size, kind, begin = _NOTE.unpack_from(notes, at)
        content = at + 12 + (name + 3 & ~3)
        if kind == _BUILD_ID and begin == b"GNU\0":
            return notes[content : content + size]
        at = content + (size + 3 & ~3)
    return b""
