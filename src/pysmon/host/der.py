"""The distinguished encoding of ASN.1 (X.690): values and what they contain, as far as module signatures need it."""

from __future__ import annotations

from typing import NamedTuple

from pysmon.errors import RecordError

INTEGER, OCTETS, OID, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x30, 0x31
_MOST = 256  # parts of one value
_TEXTS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}


class Value(NamedTuple):
    """A tag as it stands there (one byte), and the bytes of the content."""

    tag: int
    content: bytes


def parts(data: bytes) -> list[Value]:
    """The values that stand one after the other; RecordError unless they fill `data` exactly."""
    made: list[Value] = []
    at = 0
    while at < len(data):
        if len(made) >= _MOST:
            raise RecordError(f"a value of ASN.1 has more than {_MOST} parts")
        value, at = _read(data, at)
        made.append(value)
    return made


def inside(value: Value, tag: int, what: str) -> list[Value]:
    """What a value contains; RecordError unless it has that tag. `what` says what was looked for."""
    if value.tag != tag:
        raise RecordError(f"{what} has the tag {value.tag:#04x} (expected {tag:#04x})")
    return parts(value.content)


def dotted(content: bytes) -> str:
    """An object identifier in numbers with dots; RecordError if it is cut off."""
    if not content or content[-1] & 0x80:
        raise RecordError("an object identifier is cut off")
    numbers: list[int] = []
    number = 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if number.bit_length() > 64:
            raise RecordError("an object identifier has a number of more than 64 bits")
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def text(value: Value) -> str:
    """A text of any of ASN.1's kinds; what is no valid text is replaced. Empty for a value that is no text."""
    kind = _TEXTS.get(value.tag)
    return value.content.decode(kind, "replace") if kind else ""


def _read(data: bytes, at: int) -> tuple[Value, int]:
    """The value at `at`, and where it ends."""
    if at + 2 > len(data):
        raise RecordError(f"a value of ASN.1 is cut off at byte {at}")
    tag, size = data[at], data[at + 1]
    if tag & 0x1F == 0x1F:
        raise RecordError(f"a tag of more than one byte at byte {at} (expected one)")
    at += 2
    if size & 0x80:
        count = size & 0x7F
        if not 0 < count <= 4 or at + count > len(data):
            raise RecordError(f"a length of {count} bytes at byte {at} (expected 1 to 4)")
        size = int.from_bytes(data[at : at + count])
        at += count
    if at + size > len(data):
        raise RecordError(f"a value of {size} bytes at byte {at}, where {len(data) - at} are left")
    return Value(tag, data[at : at + size]), at + size
