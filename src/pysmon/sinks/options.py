"""What the settings may say of an output: options, each with its kind, its default and its words for the manual."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, cast

from pysmon.errors import MisuseError
from pysmon.formats.quantity import size_of, span_of
from pysmon.formats.table import FORMATS, Render
from pysmon.sinks.sink import Sink

OptionKind = Literal["text", "path", "choice", "number", "size", "span", "boolean", "spans"]
Value = str | int | bool | None | dict[str, int]
_EXPECTED: Mapping[OptionKind, str] = {
    "text": "a text",
    "path": "an absolute path",
    "number": "a whole number from 0 on",
    "size": 'a size: "500K", "100M", "2G"',
    "span": 'a span of time: "90s", "12h", "30d"',
    "boolean": "true or false",
    "spans": 'a table of spans of time: { file = "7d" }',
}


@dataclass(frozen=True, slots=True)
class Option:
    """One key of an `[[output]]`. A size is in bytes, a span in seconds, once it is read."""

    name: str
    kind: OptionKind
    about: str
    default: Value = None  # None: there is none, and the key has to be given
    choices: tuple[str, ...] = ()

    def read(self, given: object) -> Value:
        """The value that was given; ValueError says what was expected."""
        match self.kind, given:
            case "choice", str() if given in self.choices:
                return given
            case "choice", _:
                raise ValueError(f"expected {' or '.join(self.choices)}")
            case "text", str():
                return given
            case "path", str() if given.startswith("/") and "\0" not in given:
                return given
            case "boolean", bool():
                return given
            case "number" | "size" | "span", int() if given >= 0 and not isinstance(given, bool):
                return given
            case "size", str():
                return size_of(given)
            case "span", str():
                return span_of(given)
            case "spans", Mapping():
                return {str(name): _span(value) for name, value in given.items()}
            case _:
                raise ValueError(f"expected {_EXPECTED[self.kind]}")


def _span(given: object) -> int:
    return given if type(given) is int else span_of(str(given))


@dataclass(frozen=True, slots=True)
class OutputKind:
    """A kind of output: the `type` of an `[[output]]`, and the options that it takes."""

    name: str
    about: str
    options: tuple[Option, ...]
    build: Callable[[Options], Sink]

    def make(self, options: Mapping[str, object]) -> Sink:
        """The output as the options say; MisuseError tells what is wrong with them, SinkError what is in the way."""
        return self.build(self.read(options))

    def read(self, options: Mapping[str, object]) -> Options:
        """The options, each with its value or its default; MisuseError tells what is wrong with one of them."""
        known = {option.name: option for option in self.options}
        for name in options:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
                raise MisuseError(f"the output {self.name} has no option {name!r}", hint=hint)
        return Options(self.name, {o.name: self._value(o, options) for o in self.options})

    def _value(self, option: Option, options: Mapping[str, object]) -> Value:
        if option.name not in options:
            if option.default is None:
                raise MisuseError(f"the output {self.name} needs {option.name}", hint=option.about)
            return option.default
        given = options[option.name]
        try:
            return option.read(given)
        except ValueError as error:
            raise MisuseError(f"the output {self.name}: {option.name} is {given!r}", hint=str(error)) from None


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one output, each with its value or its default."""

    output: str
    values: Mapping[str, Value]

    def text(self, name: str) -> str:
        """A text, a path or a choice."""
        return str(self.values[name])

    def path(self, name: str) -> Path:
        """A path."""
        return Path(self.text(name))

    def number(self, name: str) -> int:
        """A number, a size in bytes or a span in seconds."""
        return cast("int", self.values[name])

    def is_set(self, name: str) -> bool:
        """A boolean."""
        return self.values[name] is True

    def spans(self, name: str) -> dict[str, int]:
        """A table of spans in seconds."""
        return cast("dict[str, int]", self.values[name])

    def render(self) -> Render:
        """The format."""
        return FORMATS[self.text("format")].render

    def refuse(self, name: str, why: str, hint: str = "") -> MisuseError:
        """What to raise for a value that cannot be."""
        return MisuseError(f"the output {self.output}: {name} {why}", hint=hint)
