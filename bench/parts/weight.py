"""How heavy the kernel programs are: their instructions in the object, and those that the kernel's verifier walks.

`python -m bench.parts.weight` compares both with what was written down (tests/sensor/weight.json). `--write` writes it
down anew: sizes, and what the verifier did for the line of kernels that runs. It needs root; nothing is attached.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import struct
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from bench.parts.table import table

from pysmon.sensor.loader import OBJECT, load

RECORD = Path(__file__).resolve().parents[2] / "tests" / "sensor" / "weight.json"
_INSTRUCTION = 8  # bytes
_FUNCTION, _SYMBOLS = 2, 2  # STT_FUNC, SHT_SYMTAB
# Compilers differ, and so does what the verifier can leave out: growth by more than both is told.
_SHARE, _FEW = 0.25, 100  # clang 14 and the one of zig differ by 18 %
_EHDR, _SHDR, _SYM = struct.Struct("<40xQ10xHHH"), struct.Struct("<IIQQQQIIQQ"), struct.Struct("<IBBHQQ")


@dataclass(frozen=True, slots=True)
class Weights:
    """By program: instructions in the object; by line of the kernel and program: instructions that were verified."""

    sizes: dict[str, int] = field(default_factory=dict)
    verified: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path = RECORD) -> Self:
        """What was written down; nothing if nothing was."""
        return cls(**json.loads(path.read_text())) if path.exists() else cls()

    def write(self, path: Path = RECORD) -> None:
        """Write it down."""
        path.write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")


def kernel_line() -> str:
    """The line of kernels that this one belongs to: `6.1`."""
    return ".".join(platform.release().split(".")[:2])


def sizes(elf: bytes) -> dict[str, int]:
    """Instructions of each function of an object: programs, and functions that they call."""
    at, size, count, _ = _EHDR.unpack_from(elf)
    rows = [_SHDR.unpack_from(elf, at + size * number) for number in range(count)]
    found = {}
    for _, kind, _, _, start, length, names, *_ in rows:
        for place in range(start, start + length, _SYM.size) if kind == _SYMBOLS else ():
            name, info, _, _, _, extent = _SYM.unpack_from(elf, place)
            if info & 15 == _FUNCTION and extent:
                begin = rows[names][4] + name
                found[elf[begin : elf.index(b"\0", begin)].decode()] = extent // _INSTRUCTION
    return found


def verified() -> dict[str, int]:
    """Load all programs that work here, and ask what the verifier walked; SensorError if that is not allowed."""
    loaded = load(attach=())
    try:
        return loaded.object.verified()
    finally:
        loaded.object.close()


def heavier(now: Mapping[str, int], then: Mapping[str, int]) -> list[str]:
    """What has grown by more than compilers and kernels differ, a line for each; what is new is not told."""
    return [
        f"{name}: {now[name]:,} instructions, {then[name]:,} were written down"
        for name in sorted(now.keys() & then.keys())
        if now[name] > then[name] * (1 + _SHARE) and now[name] > then[name] + _FEW
    ]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write down what is")
    parser.add_argument("--to", type=Path, default=RECORD, help="the file that holds what was written down")
    given = parser.parse_args()
    then, size, line = Weights.read(given.to), sizes(OBJECT.read_bytes()), kernel_line()
    walked = verified() if os.geteuid() == 0 else {}
    rows = [(name, f"{size.get(name, 0):,}", f"{walked.get(name, 0):,}") for name in sorted(size)]
    table("program", ("instructions", f"verified by {line}"), rows)
    if given.write:
        Weights(size, then.verified | ({line: walked} if walked else {})).write(given.to)
        return 0
    told = heavier(size, then.sizes) + heavier(walked, then.verified.get(line, {}))
    sys.stdout.write("".join(f"{text}\n" for text in told))
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
