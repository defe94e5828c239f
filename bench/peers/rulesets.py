"""The configurations under which pysmon is compared, and what the tables of its event log tell of."""

from __future__ import annotations

from collections.abc import Iterable

from bench.parts.configurations import MEASURED, ROOT

from pysmon.schema.event import EVENTS

KINDS = {
    "ProcessCreate": "exec",
    "ProcessTerminate": "exit",
    "FileCreate": "create",
    "FileDelete": "delete",
    "FileDeleteDetected": "delete",
    "NetworkConnect": "connect",
}
_NAMES = {number: made.cls.__name__ for number, made in EVENTS.items()}  # tables are named as classes
# By a table of the event log, and by the number of its type of event, what it tells of.
TABLES = {key: KINDS.get(name, "other") for number, name in _NAMES.items() for key in (name, str(number))}
_RULES = ("ProcessCreate", "ProcessTerminate", "NetworkConnect", "FileCreate", "FileDeleteDetected")
_HEAD, _FOOT = (
    '<Sysmon schemaversion="4.90"><HashAlgorithms>SHA256</HashAlgorithms><EventFiltering>',
    "</EventFiltering></Sysmon>",
)
_OF_LINUX = ("ProcessCreate", "ProcessTerminate", "NetworkConnect", "FileCreate", "FileDelete")
_EXCLUDED = '<Image condition="begin with">/</Image>'


def rulesets() -> dict[str, bytes]:
    """By name; the one of SwiftOnSecurity only where it is there."""
    found = {
        "all logged": _five("").encode(),
        "all excluded": _five(_EXCLUDED).encode(),
        "shipped rules": (ROOT / "src" / "pysmon" / "config" / "default.xml").read_bytes(),
    }
    real = next(each.path for each in MEASURED if each.name == "swiftonsecurity.xml")
    if real.exists():
        found["SwiftOnSecurity"] = real.read_bytes()
    return found


def of_sysmon() -> dict[str, bytes]:
    """The same for Sysmon for Linux, which has event 23 for files that were removed, and keeps no copy there."""
    return {
        "Sysmon for Linux, all logged": _five("", _OF_LINUX).encode(),
        "Sysmon for Linux, all excluded": _five(_EXCLUDED, _OF_LINUX).encode(),
    }


def _five(rule: str, names: Iterable[str] = _RULES) -> str:
    """The five kinds of event that all sensors are told to log, less what the rule matches."""
    return _HEAD + "".join(f'<{name} onmatch="exclude">{rule}</{name}>' for name in names) + _FOOT
