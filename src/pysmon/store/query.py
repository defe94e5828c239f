"""What can be asked of the log: entries by id, field, time, process and text."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from typing import Literal, get_args

from pysmon.errors import MisuseError
from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.event import EVENTS

Operator = Literal[
    "is",
    "is not",
    "contains",
    "excludes",
    "begin with",
    "not begin with",
    "end with",
    "not end with",
    "less than",
    "more than",
]
Order = Literal["oldest first", "newest first"]

OPERATORS: tuple[Operator, ...] = get_args(Operator)
_NEGATED: dict[Operator, Operator] = {
    "is not": "is",
    "excludes": "contains",
    "not begin with": "begin with",
    "not end with": "end with",
}
_UPPER_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold of a field, in Sysmon's words; an event without that field does not meet it.

    Texts are compared as the log shows them, A to Z in either case; of numbers, `is`, `less than` and `more than`
    compare the value. `field` is the exact name of a field of any event type (MisuseError if there is none such).
    """

    field: str
    operator: Operator
    value: str

    def __post_init__(self) -> None:
        """Refuse unknown fields and operators."""
        if self.operator not in OPERATORS:
            raise MisuseError(f"there is no operator {self.operator!r}", hint=f"known: {', '.join(OPERATORS)}")
        if all(made.field(self.field) is None for made in EVENTS.values()):
            raise MisuseError(f"no event has a field {self.field!r}", hint="`pysmon schema` lists them")

    @property
    def positive(self) -> Operator:
        """The operator without its `not`."""
        return _NEGATED.get(self.operator, self.operator)

    @property
    def negated(self) -> bool:
        """Whether the operator is one of those with `not`."""
        return self.operator in _NEGATED


@dataclass(frozen=True, slots=True)
class Query:
    """Which entries are wanted; all that is given must hold, what is left empty asks for nothing.

    Entries come in the order of the log. `since` and `until` are in ns since 1970, the one belongs to the range, the
    other does not. `after` and `upto` bound positions in the log likewise (see `Store.rows`): the one is outside, the
    other inside.
    """

    ids: frozenset[int] = frozenset()  # event ids
    conditions: tuple[Condition, ...] = ()
    any_of: tuple[Condition, ...] = ()  # at least one of these
    since: int | None = None
    until: int | None = None
    processes: frozenset[str] = frozenset()  # guids; any field that names a process, but not as the parent
    parents: frozenset[str] = frozenset()  # guids; processes that these created
    text: str = ""  # part of any text of the entry or its extra facts; also a whole number, or a whole guid
    record_ids: frozenset[int] = frozenset()
    after: int | None = None
    upto: int | None = None
    order: Order = "oldest first"
    limit: int | None = None


def holds(operator: Operator, text: str, value: str) -> bool:
    """Whether a positive operator holds of a text; what every short cut through SQL must agree with."""
    text, value = text.translate(_UPPER_TO_LOWER), value.translate(_UPPER_TO_LOWER)
    match operator:
        case "is":
            return text == value
        case "contains":
            return value in text
        case "begin with":
            return text.startswith(value)
        case "end with":
            return text.endswith(value)
        case "less than":
            return text < value
        case "more than":
            return text > value
        case _:
            return not holds(_NEGATED[operator], text, value)


Subject = Literal["domain", "ip", "file", "hash"]
_ASKED: dict[Subject, tuple[tuple[str, Operator], ...]] = {
    "domain": (
        ("QueryName", "is"),
        ("DestinationHostname", "is"),
        ("SourceHostname", "is"),
    ),
    "ip": (
        ("DestinationIp", "is"),
        ("SourceIp", "is"),
    ),
    "file": (
        ("TargetFilename", "is"),
        ("Image", "is"),
        ("ImageLoaded", "is"),
    ),
    "hash": (
        ("Hashes", "contains"),
        ("Hash", "contains"),
        ("ConfigurationFileHash", "contains"),
    ),
}


def about(subject: Subject, value: str) -> tuple[Condition, ...]:
    """The conditions of which an entry that concerns the subject meets one.

    A file without a slash is a file of that name in any folder. A domain includes what lies below it. An IPv6 address
    may be written in any form.
    """
    asked = [Condition(field, operator, value) for field, operator in _ASKED[subject]]
    if subject == "domain":
        asked += [Condition(c.field, "end with", f".{value}") for c in asked]
    elif subject == "file" and "/" not in value and "\\" not in value:
        asked += [Condition(c.field, "end with", f"{slash}{value}") for c in asked for slash in "/\\"]
    elif subject == "ip":
        asked = [Condition(c.field, c.operator, form) for c in asked for form in _forms(value)]
        asked += [Condition("QueryResults", "contains", f"{form};") for form in _forms(value)]
    return tuple(asked)


def _forms(address: str) -> list[str]:
    try:
        known = ip_address(address)
    except ValueError:
        return [address]
    if isinstance(known, IPv4Address):
        return [address]
    long = ":".join(f"{int(group, 16):x}" for group in known.exploded.split(":"))
    return list(dict.fromkeys([address, known.compressed, long]))
