"""The words of `condition="..."`: since when each exists, and what exactly it asks.

Comparisons are of text, also for numbers; A to Z and a to z are the same, other letters are compared as they are. In
the docs below F is the value of the event's field and R the text of the rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from pysmon.schema.version import SchemaVersion

DEFAULT_CONDITION = "is"  # what holds where a rule names no condition

_ALWAYS = SchemaVersion(2, 0)


@dataclass(frozen=True, slots=True)
class ConditionWord:
    """One condition of the rule language."""

    word: str
    doc: str
    since: SchemaVersion = _ALWAYS
    quirk: str = ""  # what surprises people


_PARTS = (
    "Parts are not trimmed: in `a; b` the second begins with a space. An empty part in the middle stands for the rest"
    " of the list from there on: `a;;b` has the parts `a`, `;b` and `b`."
)

# In the order of the manifest.
CONDITIONS = (
    ConditionWord(
        "is",
        "F and R are the same text. This holds where a rule names no condition.",
        quirk="A field without a value reads `-`: an empty R never matches it. Ask for `-`.",
    ),
    ConditionWord("is not", "F and R are not the same text."),
    ConditionWord(
        "contains",
        "R stands somewhere in F.",
        quirk="An empty R stands in every F that is not empty. Nothing stands in an empty F.",
    ),
    ConditionWord(
        "contains any",
        "R is a list, parted by `;`: at least one part stands in F.",
        SchemaVersion(4, 22),
        f"{_PARTS} A `;` at the end makes an empty part, which stands in every F that is not empty: the condition then"
        " always holds.",
    ),
    ConditionWord(
        "is any",
        "R is a list, parted by `;`: F is the same text as one part.",
        SchemaVersion(4, 31),
        "Parts are not trimmed. An empty part is the same as an empty F, and a field without a value reads `-`.",
    ),
    ConditionWord(
        "contains all",
        "R is a list, parted by `;`: every part stands in F.",
        SchemaVersion(4, 22),
        f"{_PARTS} A `;` at the end asks for nothing more than that F is not empty.",
    ),
    ConditionWord("excludes", "R stands nowhere in F: the opposite of `contains`."),
    ConditionWord(
        "excludes any",
        "R is a list, parted by `;`: no part stands in F. The opposite of `contains any`.",
        SchemaVersion(4, 23),
        "Microsoft's documentation describes `excludes any` and `excludes all` the other way round. Sysmon does what is"
        " said here. A `;` at the end makes an empty part: the condition then never holds.",
    ),
    ConditionWord(
        "excludes all",
        "R is a list, parted by `;`: at least one part does not stand in F. The opposite of `contains all`.",
        SchemaVersion(4, 23),
        "See `excludes any`.",
    ),
    ConditionWord("begin with", "F begins with R."),
    ConditionWord("not begin with", "F does not begin with R.", SchemaVersion(4, 70)),
    ConditionWord("end with", "F ends with R."),
    ConditionWord("not end with", "F does not end with R.", SchemaVersion(4, 70)),
    ConditionWord(
        "less than",
        "F comes before R in the order of texts.",
        quirk="It does not compare numbers: `1000` is less than `443`, because `1` comes before `4`.",
    ),
    ConditionWord(
        "more than",
        "F comes after R in the order of texts.",
        quirk="It does not compare numbers: `443` is more than `1000`.",
    ),
    ConditionWord(
        "image",
        "If R is a bare file name: the file name at the end of the path F is R. If R has a directory: F is R.",
        quirk="Sysmon knows only `\\` as the end of a directory, on Linux too, where `image` thus is the same as `is`."
        " pysmon takes `/` as well.",
    ),
)


def conditions_at(version: SchemaVersion) -> tuple[str, ...]:
    """The words that the schema of that version knows, in the order of its manifest."""
    return tuple(c.word for c in CONDITIONS if c.since <= version)


def condition(word: str) -> ConditionWord | None:
    """The condition of that name, in any case of letters; or None."""
    return next((c for c in CONDITIONS if c.word == word.lower()), None)
