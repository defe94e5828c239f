"""Sysmon's own switches (`-accepteula -i config.xml`): what a command line says in them.

A token is read as Sysmon reads it: the table of options is walked in order and the first switch that the rest of the
token begins with is taken, without regard to case; single letters can be clustered (`-hn`), a longer switch stands
right after the `-`. Only the last option of a token can take a value: the next token, which a required value takes
whatever it is and an optional one only if it begins with no `-`.

One thing is read differently: Sysmon takes `-dns` for `-d` and fails. Here a token that is a longer switch is that one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pysmon.errors import MisuseError
from pysmon.schema.options import Option, options_at
from pysmon.schema.versions import newest

_DASH = "-"
_TABLE: tuple[Option, ...] = tuple(
    option for option in options_at(newest("linux").version, "linux") if option.switch and not option.internal
)
_QUESTION = "-?"
_HELP = ("-h", "-help")  # as the only argument; else -h is HashAlgorithms
_CONFIGURATION_USAGE = ("config", "configuration")


@dataclass(frozen=True, slots=True)
class ClassicCall:
    """What was asked for: the options given by name, with their values (None: without one)."""

    options: Mapping[str, str | None]
    usage: str = ""  # "general" or "configuration" if that is what was asked for

    def __contains__(self, name: str) -> bool:
        """Was the option given?"""
        return name in self.options

    def value(self, name: str) -> str | None:
        """The value of an option; None if it was not given, or without one."""
        return self.options.get(name)


def parse(arguments: Sequence[str]) -> ClassicCall:
    """Read the switches; MisuseError tells what is not understood."""
    first = arguments[0].lower() if arguments else ""
    if first in (_QUESTION, "/?"):
        about_configuration = len(arguments) > 1 and arguments[1].lower() in _CONFIGURATION_USAGE
        return ClassicCall(MappingProxyType({}), "configuration" if about_configuration else "general")
    if len(arguments) == 1 and first in _HELP:
        return ClassicCall(MappingProxyType({}), "general")
    given: dict[str, str | None] = {}
    at = 0
    while at < len(arguments):
        token = arguments[at]
        at += 1
        following = arguments[at] if at < len(arguments) else None
        options = _cluster(token)
        for option in options[:-1]:
            if option.argument == "required":
                raise _misuse(f"-{option.switch} needs a value and can only be the last in {token}")
            _add(given, option, None)
        if _takes(options[-1], following):
            at += 1
            _add(given, options[-1], following)
        else:
            _add(given, options[-1], None)
    exclusive = [option for option in _TABLE if option.exclusive and option.name in given]
    if len(exclusive) > 1:
        raise _misuse(f"{' and '.join(f'-{option.switch}' for option in exclusive)} exclude each other")
    return ClassicCall(MappingProxyType(given))


def _cluster(token: str) -> list[Option]:
    if not token.startswith(_DASH) or token == _DASH:
        raise _misuse(f"{token!r} is no switch")
    text = token[1:].lower()
    whole = next((option for option in _TABLE if len(option.switch) > 1 and option.switch == text), None)
    if whole:
        return [whole]
    found: list[Option] = []
    at = 0
    while at < len(text):
        option = next((o for o in _TABLE if _stands(o, text, at)), None)
        if option is None:
            raise _misuse(f"{token!r} is no switch" if not at else f"{text[at:]!r} in {token!r} is no switch")
        found.append(option)
        at += len(option.switch)
    return found


def _stands(option: Option, text: str, at: int) -> bool:
    return text.startswith(option.switch, at) and (at == 0 or len(option.switch) == 1)


def _takes(option: Option, following: str | None) -> bool:
    if option.argument == "required":
        if following is None:
            raise _misuse(f"-{option.switch} needs a value")
        return True
    return option.argument == "optional" and following is not None and not following.startswith(_DASH)


def _add(given: dict[str, str | None], option: Option, value: str | None) -> None:
    if option.name in given and (option.exclusive or (value is not None and given[option.name] is not None)):
        raise _misuse(f"-{option.switch} was given twice")
    given[option.name] = value if value is not None else given.get(option.name)


def _misuse(message: str) -> MisuseError:
    return MisuseError(message, hint="pysmon -? lists the switches; pysmon --help the commands")
