"""The files of `pysmon test`: what a configuration should do with which event, in YAML.

    tests:
      - name: curl is kept
        event: {EventID: 1, Image: /usr/bin/curl}
        expect: keep
        rule: download
      - log: attack.evtx
        record: 4711
        expect: drop

Every scalar is taken as the text that stands there (`yes` is no boolean, `0x10` no number); the kind of a field decides
what it means. A field that is not named has no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from pysmon.errors import MisuseError, Place
from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.event import EVENTS, Event, EventType
from pysmon.schema.lookup import nearest

_KEYS = ("name", "event", "log", "record", "expect", "rule")
_EXPECT = {"keep": True, "drop": False}
LARGEST = 16 << 20  # bytes of a file
_DIGITS = 20  # of an EventRecordID
_EVENT_KEYS = ("EventID", "EventRecordID", "SystemTime", "Provider_Name", "Channel", "Computer")  # as in our JSON lines
_NONE = "-"


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event of a log, by its EventRecordID; None: the only one in it."""

    log: Path
    record: int | None


@dataclass(frozen=True, slots=True)
class Case:
    """One test: an event, and what should become of it."""

    name: str
    place: Place
    event: Event | Recorded
    keep: bool
    rule: str | None  # the RuleName that it should be kept under; None: any


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in a file of tests, and what would help."""

    place: Place
    message: str
    hint: str = ""


class _WrongError(Exception):
    def __init__(self, node: Any, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.node, self.message, self.hint = node, message, hint


def cases_of(data: bytes, name: str, folder: Path) -> tuple[tuple[Case, ...], tuple[Mistake, ...]]:
    """The tests of a file with these bytes and what is wrong in it; logs are looked for in the folder.

    MisuseError if it is too large or no text.
    """
    if len(data) > LARGEST:
        raise MisuseError(f"{name} is larger than {LARGEST >> 20} MB (expected a file of tests)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MisuseError(f"{name} is not UTF-8: {error.reason} at byte {error.start}") from error
    return _Reader(name, folder).read(text)


class _Reader:
    """Reads one file. Nodes of YAML know where they stand, and what they are: a scalar, a sequence or a mapping."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name, self._folder = name, folder
        self._mistakes: list[Mistake] = []

    def read(self, text: str) -> tuple[tuple[Case, ...], tuple[Mistake, ...]]:
        try:
            yaml: Any = import_module("yaml")
        except ImportError as error:
            raise MisuseError("tests are written in YAML, which needs PyYAML", hint="pip install pyyaml") from error
        try:
            root = yaml.compose(text, Loader=yaml.BaseLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = Place(self._name, mark.line + 1, mark.column + 1) if mark else Place(self._name)
            what = " ".join(str(getattr(error, "problem", None) or error).split())
            return (), (Mistake(place, f"this is no YAML: {what}"),)
        except RecursionError:
            return (), (Mistake(Place(self._name), "lists and mappings lie too deep in each other"),)
        cases = tuple(self._cases(root))
        if not cases and not self._mistakes:
            self._mistakes.append(Mistake(Place(self._name), "there are no tests", "tests: [{event: ...}]"))
        return cases, tuple(self._mistakes)

    def _cases(self, root: Any) -> Iterator[Case]:
        for number, node in enumerate(self._items(root), 1):
            try:
                yield self._case(node, number)
            except _WrongError as error:
                self._note(error)

    def _items(self, root: Any) -> list[Any]:
        try:
            top = _mapping(root, "the file", ("tests",)) if root is not None else {}
            return _sequence(top["tests"]) if "tests" in top else []
        except _WrongError as error:
            self._note(error)
            return []

    def _note(self, error: _WrongError) -> None:
        self._mistakes.append(Mistake(self._place(error.node), error.message, error.hint))

    def _place(self, node: Any) -> Place:
        mark = getattr(node, "start_mark", None)
        return Place(self._name, mark.line + 1, mark.column + 1) if mark else Place(self._name)

    def _case(self, node: Any, number: int) -> Case:
        given = _mapping(node, "a test", _KEYS)
        if ("event" in given) == ("log" in given):
            raise _WrongError(node, "a test needs either event or log", "event: {EventID: 1, Image: /usr/bin/curl}")
        event = _event(given["event"]) if "event" in given else self._recorded(given)
        if "record" in given and "event" in given:
            raise _WrongError(given["record"], "record goes with log, not with event")
        if "expect" not in given:
            raise _WrongError(node, "the test does not say what to expect", "expect: keep, or expect: drop")
        expect = _scalar(given["expect"])
        if expect not in _EXPECT:
            raise _WrongError(given["expect"], f"expect is {expect!r} (expected keep or drop)")
        rule = _scalar(given["rule"]) if "rule" in given else None
        if rule is not None and not _EXPECT[expect]:
            raise _WrongError(given["rule"], "an event that is dropped has no RuleName", "leave rule away")
        name = (_scalar(given["name"]) if "name" in given else "") or _named(event, number)
        return Case(name, self._place(node), event, _EXPECT[expect], rule)

    def _recorded(self, given: Mapping[str, Any]) -> Recorded:
        record = _scalar(given["record"]) if "record" in given else None
        if record is not None and not (record.isascii() and record.isdigit() and len(record) <= _DIGITS):
            raise _WrongError(given["record"], f"record is {record!r} (expected the number that EventRecordID is)")
        log = _scalar(given["log"])
        if "\0" in log:
            raise _WrongError(given["log"], f"log is {log!r} (expected the name of a file)")
        return Recorded(self._folder / log, None if record is None else int(record))


def _event(node: Any) -> Event:
    given = _mapping(node, "an event")
    if "EventID" not in given:
        raise _WrongError(node, "the event has no EventID", "EventID: 1, or EventID: ProcessCreate")
    schema = _schema(given["EventID"])
    names = [field.name for field in schema.fields]
    for name, value in given.items():
        if name not in names and name not in _EVENT_KEYS:
            close = nearest(name, names)
            hint = f"did you mean {' or '.join(close)}?" if close else f"it has {', '.join(names)}"
            raise _WrongError(value, f"event {schema.id} has no field {name!r}", hint)
    values: dict[str, Any] = {}
    for field in schema.fields:
        values[field.name] = None if field.kind.sql == "INTEGER" else _NONE
        if field.name in given:
            try:
                values[field.name] = field.kind.parse(_scalar(given[field.name]))
            except ValueError:
                words = f"{field.name} is {_scalar(given[field.name])!r} (expected {field.kind.name})"
                raise _WrongError(given[field.name], words) from None
    return schema.cls(**values)


def _schema(node: Any) -> EventType:
    text = _scalar(node)
    found = [s for s in EVENTS.values() if text in (str(s.id), s.cls.__name__, s.tag)]
    if len(found) == 1:
        return found[0]
    several = f"{text} is the name of several events: {', '.join(str(schema.id) for schema in found)}"
    close = nearest(text, [schema.cls.__name__ for schema in EVENTS.values()])
    hint = f"did you mean {' or '.join(close)}?" if close else "EventID: 1, or EventID: ProcessCreate"
    raise _WrongError(node, several if found else f"there is no event {text!r}", hint)


def _named(event: Event | Recorded, number: int) -> str:
    if isinstance(event, Recorded):
        record = "" if event.record is None else f" record {event.record}"
        return f"test {number}: {event.log.name}{record}"
    return f"test {number}: {event.type.cls.__name__}"


def _mapping(node: Any, what: str, known: tuple[str, ...] = ()) -> dict[str, Any]:
    if node.id != "mapping":
        raise _WrongError(node, f"{what} is a {node.id} (expected a mapping: `key: value`)")
    given: dict[str, Any] = {}
    for key, value in node.value:
        name = _scalar(key)
        if name in given:
            raise _WrongError(key, f"{name} stands twice")
        if known and name not in known:
            close = nearest(name, known)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
            raise _WrongError(key, f"{what} has no {name!r}", hint)
        given[name] = value
    return given


def _sequence(node: Any) -> list[Any]:
    if node.id != "sequence":
        raise _WrongError(node, f"tests is a {node.id} (expected a list: `- event: ...`)")
    return list(node.value)


def _scalar(node: Any) -> str:
    if node.id != "scalar":
        raise _WrongError(node, f"here stands a {node.id} (expected a text or a number)")
    return str(node.value)
