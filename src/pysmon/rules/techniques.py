"""ATT&CK techniques in the names of rules: `technique_id=T1059.001,technique_name=PowerShell`, `T1047,Alert`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ID = re.compile(r"(?<![A-Za-z0-9])T\d{4}(?:\.\d{3})?(?![A-Za-z0-9]|\.\d)", re.IGNORECASE)
_MEANT = re.compile(r"(?<![A-Za-z0-9])T\d[\d.]{2,}(?![A-Za-z])|technique_?id\s*[=:]", re.IGNORECASE)
_KEY_ID = re.compile(r"technique_?id\s*[=:]\s*([^,;|]*)", re.IGNORECASE)
_KEY_NAME = re.compile(r"technique_?name\s*[=:]\s*([^;|]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tag:
    """What a rule's name says of techniques."""

    ids: tuple[str, ...]  # in capitals, in the order of the name, each once
    name: str  # that the rule gives to the technique; "" if none
    wrong: str  # a part of the name that is meant as an id and is none; "" if there is none


def tag(rule_name: str) -> Tag:
    """Read a name; one without techniques gives no ids and nothing wrong."""
    ids = tuple(dict.fromkeys(found.upper() for found in _ID.findall(rule_name)))
    said = _KEY_NAME.search(rule_name)
    return Tag(ids, said[1].strip().rstrip(",") if said else "", _wrong(rule_name))


def _wrong(rule_name: str) -> str:
    keyed = _KEY_ID.search(rule_name)
    if keyed and not _ID.fullmatch(keyed[1].strip()):
        return keyed[1].strip() or keyed[0]
    for found in _MEANT.finditer(rule_name):
        if found[0][0] in "Tt" and found[0][1].isdigit() and not _ID.fullmatch(found[0].rstrip(".")):
            return found[0]
    return ""
