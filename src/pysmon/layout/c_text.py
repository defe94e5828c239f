"""The C text of records, for the kernel programs: structs, kinds and assertions that the compiler checks."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

from pysmon.layout.record import Member, Record

_HEADER = "#pragma once\n/* Made from the record classes when the package is built; do not edit. */\n\n"


def c_text(records: Iterable[type[Record]], constants: Iterable[tuple[str, int]]) -> str:
    """A header with one packed-by-construction struct per record, and `#define`s for the constants and the digest."""
    kept = list(records)
    parts = [_struct(r) for r in kept]
    parts += [f"#define {name} {value}\n" for name, value in constants]
    parts.append(f"#define LAYOUT_DIGEST {digest(kept)}u\n")
    return _HEADER + "\n".join(parts)


def digest(records: Iterable[type[Record]]) -> int:
    """A 32-bit number that differs when any layout differs; the kernel object carries it, the loader compares it."""
    return zlib.crc32("".join(_struct(r) for r in records).encode())


def _struct(cls: type[Record]) -> str:
    layout, name = cls.layout, _c_name(cls.__name__)
    rows, offset, asserts = [], 0, []
    for member_name, member in zip(layout.names, layout.members, strict=True):
        field = f"{member_name}_len" if member.tail else member_name
        rows.append(f"\t{member.c_type} {field}{_array(member)};\n")
        asserts.append(f'_Static_assert(__builtin_offsetof(struct {name}, {field}) == {offset}, "{name}.{field}");\n')
        offset += member.size
    body = "".join(rows)
    size = f'_Static_assert(sizeof(struct {name}) == {layout.head.size}, "{name}");\n'
    kind = f"#define KIND_{name.upper()} {layout.kind}\n"
    return f"struct {name} {{\n{body}\tchar tail[];\n}};\n{''.join(asserts)}{size}{kind}"


def _array(member: Member) -> str:
    return f"[{member.size}]" if member.code.endswith("s") else ""


def _c_name(class_name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()
