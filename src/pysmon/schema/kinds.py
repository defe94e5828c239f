"""The kinds of field value: how each is typed in Python and named on every outside (manifest, store, JSON)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

_NONE = "-"  # what Sysmon writes for a value that there is not


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of field value; every outside name of it stands on this one line."""

    name: str
    in_type: str  # of the Windows manifest; printed by `pysmon schema`
    out_type: str  # of the Windows manifest; empty: the attribute is left out
    sql: str  # column type of the store
    text: Callable[[object], str]  # the text that the rules compare and the log prints
    parse: Callable[[str], object]  # the value back from that text; ValueError if it is none
    doc: str


def _plain(value: object) -> str:
    return _NONE if value is None else str(value)


def _boolean(value: object) -> str:
    return _NONE if value is None else "true" if value else "false"


def _parse_number(text: str) -> int | None:
    return None if text == _NONE else int(text, 0)


def _parse_boolean(text: str) -> bool | None:
    known = {"true": True, "false": False, _NONE: None}
    if text.lower() not in known:
        raise ValueError(f"not a boolean: {text!r} (expected true or false)")
    return known[text.lower()]


def _kind(name: str, in_type: str, out_type: str, sql: str, doc: str) -> Kind:
    return Kind(name, in_type, out_type, sql, _plain, str, doc)


def _number(name: str, in_type: str, out_type: str, doc: str) -> Kind:
    return Kind(name, in_type, out_type, "INTEGER", _plain, _parse_number, doc)


TEXT = _kind("text", "win:UnicodeString", "xs:string", "TEXT", "Unicode text; `-` if there is none.")
TIME = _kind("time", "win:UnicodeString", "xs:string", "TEXT", "UTC: `YYYY-MM-DD HH:MM:SS.mmm`.")
GUID = _kind("guid", "win:GUID", "", "TEXT", "`{8-4-4-4-12}`, lower-case hex.")
HEX_INT32 = _kind("hexint32", "win:HexInt32", "", "TEXT", "32-bit mask as the platform writes it: `0x1410`.")
HEX_INT64 = _kind(
    "hexint64", "win:HexInt64", "", "TEXT", "64-bit number as the platform writes it: `0x3e7` or, on Linux, decimal."
)
UINT16 = _number("uint16", "win:UInt16", "", "0 to 65535.")
UINT32 = _number("uint32", "win:UInt32", "", "0 to 4294967295.")
UINT64 = _number("uint64", "win:UInt64", "", "0 to 18446744073709551615.")
PID = _number("pid", "win:UInt32", "win:PID", "A process id, 0 to 4294967295.")
BOOLEAN = Kind(
    "boolean", "win:Boolean", "", "INTEGER", _boolean, _parse_boolean, "`true`, `false`, or `-` if not known."
)

Text = Annotated[str, TEXT]
Time = Annotated[str, TIME]
Guid = Annotated[str, GUID]
HexInt32 = Annotated[str, HEX_INT32]
HexInt64 = Annotated[str, HEX_INT64]
UInt16 = Annotated[int, UINT16]
UInt32 = Annotated[int, UINT32]
UInt64 = Annotated[int, UINT64]
Pid = Annotated[int, PID]
Boolean = Annotated[bool | None, BOOLEAN]
