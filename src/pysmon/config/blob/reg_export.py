"""Sysmon's rules in what `reg export` or the registry editor wrote: text with a value a line, bytes as `hex:`."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from pysmon.config.blob.hive import StoredRules, is_sysmons
from pysmon.errors import RecordError

_HEADS = ("Windows Registry Editor Version 5.00", "REGEDIT4")
_VALUE = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|@)\s*=\s*(.*)', re.DOTALL)
_HEX = re.compile(r"hex(?:\(([0-9a-f]{1,8})\))?:(.*)", re.DOTALL | re.IGNORECASE)
_ESCAPED = re.compile(r"\\(.)")
_TEXTS = (1, 2)  # REG_SZ, REG_EXPAND_SZ
_ROOT = "HKEY_LOCAL_MACHINE\\"


def is_export(data: bytes) -> bool:
    """Whether it begins as such a file does."""
    return _text(data[:200]).lstrip().startswith(_HEADS)


def rules_of_export(data: bytes, file: str) -> list[StoredRules]:
    """All Sysmon rules in it, those of the current control set first. RecordError where a value is none."""
    found = []
    for key, values in _keys(_text(data), file):
        rules = values.pop("Rules", None)
        if isinstance(rules, bytes) and is_sysmons(rules):
            found.append((key.removeprefix(_ROOT), rules, values))
    current = [("\\currentcontrolset\\" in f"\\{key}".lower()) for key, _, _ in found]
    made = [
        StoredRules(key, is_current or not any(current), rules, values)
        for (key, rules, values), is_current in zip(found, current, strict=True)
    ]
    return sorted(made, key=lambda each: not each.current)


def _text(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-8-sig", "replace")


def _keys(text: str, file: str) -> Iterator[tuple[str, dict[str, str | int | bytes]]]:
    key, values = "", dict[str, str | int | bytes]()
    for number, line in _joined(text):
        if line.startswith("["):
            yield key, values
            key, values = line.strip("[]"), {}
        elif (found := _VALUE.fullmatch(line)) is not None:
            name = _ESCAPED.sub(r"\1", found[1] or "")
            values[name] = _value(found[2].strip(), f"{file}, line {number}: the value {name!r}")
    yield key, values


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """The lines, those that go on behind a backslash together, with the number of the first."""
    held, begin = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        begin = begin if held else number
        held += line.strip()
        if held.endswith("\\") and not held.startswith("["):
            held = held[:-1]
            continue
        yield begin, held
        held = ""
    yield begin, held


def _value(text: str, place: str) -> str | int | bytes:
    found = _HEX.fullmatch(text)
    try:
        if found is not None:
            data = bytes.fromhex(found[2].replace(",", " "))
            return data.decode("utf-16-le", "replace").rstrip("\0") if int(found[1] or "3", 16) in _TEXTS else data
        if text.lower().startswith("dword:"):
            return int(text[6:], 16)
    except ValueError as error:
        raise RecordError(f"{place} is no value: {error}") from error
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return _ESCAPED.sub(r"\1", text[1:-1])
    raise RecordError(f"{place} is no value: {text[:40]!r} (expected hex:, dword: or a text in quotes)")
