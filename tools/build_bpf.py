"""Build the kernel object of the sensor: records.gen.h from the record classes, sensor.bpf.o from the C sources.

Needs nothing but Python and a compiler: clang with the BPF target, else the `ziglang` package. The object carries its
types (BTF) and serves x86-64 and arm64 alike, on every kernel; no kernel headers are read.
Run by hatch_build.py whenever the package is built or installed, and by `make`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "src" / "pysmon" / "sensor" / "bpf"
OBJECT = "sensor.bpf.o"
HEADER = "records.gen.h"
ZIGLANG = "ziglang>=0.13"  # what to install where there is no clang

# v3: 32-bit jumps and arithmetic, known to every kernel since 5.1. No unwind tables: nothing reads them.
FLAGS = [
    *("-mcpu=v3", "-g", "-O2", "-std=gnu11", "-ffreestanding", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables"),
    *("-fno-stack-protector", "-Wall", "-Wextra", "-Werror"),
]

NO_BITS = 8  # SHT_NOBITS: a section that has a size, but no bytes in the file


class BuildError(Exception):
    """The object cannot be built: no compiler, or the compiler's own messages."""


def header_text() -> str:
    """The C header of all records. Imports only parts of pysmon that need nothing but the standard library."""
    if str(ROOT / "src") not in sys.path:
        sys.path.insert(0, str(ROOT / "src"))
    records = importlib.import_module("pysmon.sensor.records")
    c_text: Callable[..., str] = importlib.import_module("pysmon.layout.c_text").c_text
    return c_text(records.RECORDS.values(), importlib.import_module("pysmon.sensor.c_names").CONSTANTS)


def is_fresh(folder: Path = FOLDER) -> bool:
    """Whether the object is there and newer than all that it is made of."""
    made, header = folder / OBJECT, folder / HEADER
    if not made.exists() or not header.exists() or header.read_text() != header_text():
        return False
    sources = [*folder.glob("*.bpf.[ch]"), header, Path(__file__)]
    return made.stat().st_mtime_ns >= max(s.stat().st_mtime_ns for s in sources)


def compiler() -> list[str] | None:
    """The command that compiles for BPF here, or None: clang if it knows the target, else zig's clang."""
    clang = shutil.which(os.environ.get("CLANG", "clang"))
    if clang and _knows_bpf(clang):
        return [clang, "-target", "bpfel"]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc", "-target", "bpfel-freestanding-none"]
    return None


def build(folder: Path = FOLDER) -> Path:
    """Make header and object in `folder`, whether they are fresh or not; BuildError says why it cannot be."""
    source = folder / "sensor.bpf.c"
    if not source.exists():
        raise BuildError(f"no {source}: the sources of the kernel program are missing")
    command = compiler()
    if command is None:
        raise BuildError(f"no compiler for BPF: install clang (apt install clang), or: pip install '{ZIGLANG}'")
    _write(folder / HEADER, header_text().encode())
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / OBJECT
        # The prefix map keeps the place of this folder out of the object's line table.
        run = subprocess.run(  # noqa: S603 - the compiler of our choice on our own source
            [*command, *FLAGS, f"-ffile-prefix-map={folder}=.", "-c", source.name, "-o", str(out)],
            cwd=folder,
            env=os.environ | {"ZIG_LOCAL_CACHE_DIR": scratch, "ZIG_GLOBAL_CACHE_DIR": scratch},
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise BuildError(f"{' '.join(command)} refused {source.name}:\n{run.stdout}{run.stderr}")
        _write(folder / OBJECT, without_debug_sections(out.read_bytes()))
    return folder / OBJECT


def without_debug_sections(elf: bytes) -> bytes:
    """The object without the bytes of its DWARF sections.

    Section headers and names stay, empty, so that no index changes; libbpf passes over sections of these names.
    """
    head = struct.Struct("<16sHHIQQQIHHHHHH")  # Elf64_Ehdr
    row = struct.Struct("<IIQQQQIIQQ")  # Elf64_Shdr
    e = list(head.unpack_from(elf))
    at, count, names = e[6], e[12], e[13]
    rows = [list(row.unpack_from(elf, at + i * row.size)) for i in range(count)]
    strings = elf[rows[names][4] :]
    out = bytearray(head.size)
    for r in rows:
        name = strings[r[0] : strings.index(b"\0", r[0])].decode()
        if name.removeprefix(".rel").startswith(".debug_"):
            r[5] = 0
        data = b"" if r[1] == NO_BITS else elf[r[4] : r[4] + r[5]]
        out += bytes(-len(out) % max(r[8], 1))
        r[4] = len(out)
        out += data
    out += bytes(-len(out) % 8)
    e[6] = len(out)
    out[: head.size] = head.pack(*e)
    return bytes(out) + b"".join(row.pack(*r) for r in rows)


def main(arguments: list[str]) -> int:
    """Build the object if it is not fresh, and say so in a line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--force", action="store_true", help="build even if nothing changed")
    parser.add_argument("--needs", action="store_true", help="only print what must be installed first, if anything")
    chosen = parser.parse_args(arguments)
    fresh = is_fresh() and not chosen.force
    if chosen.needs:
        print("" if fresh or compiler() else ZIGLANG)
        return 0
    if fresh:
        return 0
    began = time.monotonic()
    try:
        made = build()
    except BuildError as e:
        print(f"build_bpf: {e}", file=sys.stderr)
        return 1
    by = "zig" if "ziglang" in (compiler() or []) else "clang"
    seconds = time.monotonic() - began
    print(f"kernel program: {made.relative_to(ROOT)}, {made.stat().st_size >> 10} KB, by {by} in {seconds:.1f} s")
    return 0


def _knows_bpf(clang: str) -> bool:
    probe = [clang, "-target", "bpfel", "-x", "c", "-c", "-o", os.devnull, os.devnull]
    run = subprocess.run(probe, capture_output=True, check=False)  # noqa: S603 - asks the compiler, of /dev/null
    return run.returncode == 0


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(data)
    fresh.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
