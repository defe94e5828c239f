"""Text out of a stream of bytes, in the encodings in which Windows writes it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from pysmon.sources.packed import UNREADABLE, read_up_to
from pysmon.sources.source import Tally

_PIECE = 1 << 18  # bytes


def texts(stream: BinaryIO, tally: Tally) -> Iterator[str]:
    """The text of a stream piece by piece; bytes that are not of its encoding stay as lone surrogates."""
    decoder = None
    while True:
        try:
            piece = read_up_to(stream, _PIECE)
        except UNREADABLE as error:
            tally.damage("the packed data", str(error))
            piece = b""
        if decoder is None:
            decoder = codecs.getincrementaldecoder(encoding_of(piece))(
                "surrogateescape" if encoding_of(piece) == "utf-8-sig" else "replace"
            )
        yield decoder.decode(piece, final=not piece)
        if not piece:
            return


def encoding_of(head: bytes) -> str:
    """The encoding of a text by its first bytes."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if head[:1] == b"\0" and len(head) > 1 else "utf-8-sig"
