"""JSON objects out of a stream, one by one: lines, an array, or objects that lie over several lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import msgspec

from pysmon.sources.packed import UNREADABLE, lines_of, read_up_to
from pysmon.sources.source import Tally
from pysmon.sources.streams import Bytes
from pysmon.sources.texts import encoding_of

_DECODER = msgspec.json.Decoder()
LONGEST = 1 << 22  # bytes of one object
_PIECE = 1 << 18
_TOKEN = re.compile(rb'"(?:[^"\\]+|\\.?)*+(?:"|\Z)|[{}]', re.DOTALL)  # a text may go on beyond what is held
_WRAPPED = re.compile(rb'\s*\{[^{}\[\]]*"(?:results|[Ee]vents)"\s*:\s*\[|\s*\{[^\[\]]*"hits"\s*:\s*\[')
_BEGIN = re.compile(rb"^(?:\xef\xbb\xbf)?[ \t]*[{\[]", re.MULTILINE)
_NEXT = re.compile(rb"\n[ \t\r]*\{")
_MOST_TRIES = 8  # to go on within an object that does not end, before all of it is given up
Row = dict[str, Any]


def rows(source: Bytes, tally: Tally) -> Iterator[tuple[str, Row]]:
    """The objects of a stream with their places. What is no object is told and left out."""
    head = source.sample()
    encoding = encoding_of(head)
    with source.open() as opened:
        stream = opened
        if encoding != "utf-8-sig":
            stream = cast("BinaryIO", _Recoded(opened, encoding))
            head = head.decode(encoding, "replace").encode("utf-8", "replace")
        found = _by_lines(stream, tally) if are_lines(head) else _by_braces(stream, _wrapper(head), tally)
        for place, value in found:
            if isinstance(value, dict):
                yield place, value
            else:
                tally.damage(place, "no JSON object")


class _Recoded:
    """A stream of another encoding as UTF-8; what is no text in it is replaced."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def read1(self, size: int) -> bytes:
        while True:
            piece = read_up_to(self._stream, size)
            text = self._decoder.decode(piece, final=not piece)
            if text or not piece:
                return text.encode("utf-8", "replace")

    read = read1


def sample_rows(head: bytes) -> list[Row]:
    """The objects in the beginning of a stream, as far as they are whole."""
    encoding = encoding_of(head)
    text = head.decode(encoding, "replace").encode("utf-8", "replace") if encoding != "utf-8-sig" else head
    if not _BEGIN.search(text):
        return []
    begin = _wrapper(text)
    values = (_decoded(text[start:end]) for start, end in _objects(text, begin))
    return [value for value in values if isinstance(value, dict)]


def are_lines(head: bytes) -> bool:
    """Whether the first line that begins like an object is one by itself."""
    for line in head.removeprefix(codecs.BOM_UTF8).split(b"\n"):
        if line.lstrip()[:1] in (b"{", b"["):
            return isinstance(_decoded(line), dict) and _wrapper(line) == 0
    return False


def _wrapper(head: bytes) -> int:
    """How long the beginning of an object is that only holds a list of the real ones; 0 if it is none such."""
    found = _WRAPPED.match(head)
    return found.end() if found else 0


def _by_lines(stream: BinaryIO, tally: Tally) -> Iterator[tuple[str, object]]:
    number = 0
    try:
        for number, line in enumerate(lines_of(stream, LONGEST), 1):
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            try:
                yield f"line {number}", _DECODER.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                if line.strip():
                    tally.damage(f"line {number}", f"no JSON: {error}")
    except UNREADABLE as error:
        tally.damage(f"behind line {number}", str(error))


def _by_braces(stream: BinaryIO, begin: int, tally: Tally) -> Iterator[tuple[str, object]]:
    held, line, ended = stream.read(begin)[:0], 1, False
    while not ended:
        try:
            piece = read_up_to(stream, _PIECE)
        except UNREADABLE as error:
            tally.damage(f"behind line {line}", str(error))
            piece = b""
        held, ended, used = held + piece, not piece, 0
        for start, end in _objects(held):
            line += held.count(b"\n", used, start)
            value = _decoded(held[start:end])
            if value is None:
                tally.damage(f"line {line}", "no JSON object")
            else:
                yield f"line {line}", value
            line += held.count(b"\n", start, end)
            used = end
        held = held[used:]
        tries = 0
        while b"{" in held and (ended or len(held) > LONGEST):
            tries += 1
            tally.damage(f"line {line}", "an object that does not end")
            following = _NEXT.search(held, held.index(b"{")) if tries < _MOST_TRIES else None
            skipped = following.start() + 1 if following else len(held)
            line += held.count(b"\n", 0, skipped)
            held = held[skipped:]
            if next(_objects(held), None):
                ended = False
                break


def _objects(text: bytes, begin: int = 0) -> Iterator[tuple[int, int]]:
    """Where the outermost objects begin and end, those that do."""
    depth = start = 0
    for token in _TOKEN.finditer(text, begin):
        sign = token[0]
        if sign == b"{":
            if not depth:
                start = token.start()
            depth += 1
        elif sign == b"}" and depth:
            depth -= 1
            if not depth:
                yield start, token.end()


def _decoded(text: bytes) -> object:
    try:
        return cast("object", _DECODER.decode(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
