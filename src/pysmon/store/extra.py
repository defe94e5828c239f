"""The extra facts of an event as one text of the dictionary, and back. It is JSON; a list is what a tuple becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(enc_hook=str)
_DECODER = msgspec.json.Decoder(dict[str, Any])


def extra_to_text(facts: Mapping[str, object]) -> str:
    """The facts as JSON."""
    try:
        return _ENCODER.encode(facts).decode()
    except (UnicodeEncodeError, OverflowError):  # bytes that were not UTF-8; a number beyond 64 bits
        return json.dumps(facts, ensure_ascii=False, separators=(",", ":"), default=str)


def extra_of_text(text: str) -> dict[str, Any]:
    """The facts again."""
    try:
        return _DECODER.decode(text)
    except (UnicodeEncodeError, msgspec.MsgspecError):
        found: dict[str, Any] = json.loads(text)
        return found
