"""What `--where` says: `Image end with /curl`, in the words of Sysmon's rule language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pysmon.config.model import Condition as Word
from pysmon.errors import MisuseError
from pysmon.rules.conditions import IMAGE_SPLITS_ON, holds, items, needles, splits
from pysmon.schema.event import EVENTS, Event
from pysmon.schema.lookup import nearest
from pysmon.store.query import OPERATORS, Condition, Operator

_WORDS = sorted((word.value for word in Word), key=len, reverse=True)  # the longest first: `is not` before `is`


def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for made in EVENTS.values():
        for known in made.fields:
            found.setdefault(known.name.lower(), known.name)
    return found


FIELD_NAMES = _names()  # by themselves in lower case


@dataclass(frozen=True, slots=True)
class Clause:
    """One `--where`: a field, a condition of the rule language, a value."""

    field: str
    word: Word
    value: str

    def holds(self, event: Event) -> bool:
        """Whether an event meets it; one without the field does not."""
        return event.type.field(self.field) is not None and holds(self.word, self.value, event.text(self.field))


@dataclass(slots=True)
class Clauses:
    """All of them, as far as a log can look for them by itself; `rest` is for whoever takes what the log finds."""

    conditions: list[Condition] = field(default_factory=list)
    any_of: list[Condition] = field(default_factory=list)
    rest: list[Clause] = field(default_factory=list)


def field_name(name: str) -> str:
    """The name of a field as Sysmon writes it; MisuseError if no event has such a field."""
    known = FIELD_NAMES.get(name.strip().lower())
    if known is None:
        close = nearest(name, FIELD_NAMES.values())
        hint = f"did you mean {' or '.join(close)}?" if close else "pysmon schema lists the fields of every event"
        raise MisuseError(f"no event has a field {name!r}", hint=hint)
    return known


def clause(text: str) -> Clause:
    """Read a `--where`; MisuseError says what is not understood."""
    name, _, condition = text.strip().partition(" ")
    known = field_name(name)
    condition = condition.strip()
    for word in _WORDS:
        if condition.lower() == word or condition.lower().startswith(f"{word} "):
            return Clause(known, Word(word), condition[len(word) :].strip())
    raise MisuseError(
        f"{text!r} has no condition (expected for example '{known} contains {condition or 'x'}')",
        hint=f"the conditions are {', '.join(word.value for word in Word)}",
    )


def clauses(texts: Iterable[str], *, any_of: Iterable[Condition] = ()) -> Clauses:
    """What all these ask for together; `any_of` is what is asked for already, of which one must hold."""
    made = Clauses(any_of=list(any_of))
    for text in texts:
        _add(made, clause(text))
    return made


def _add(made: Clauses, asked: Clause) -> None:
    name, word, value = asked.field, asked.word, asked.value
    if word.value in OPERATORS:
        made.conditions.append(Condition(name, word.value, value))
        return
    if word in (Word.CONTAINS_ALL, Word.EXCLUDES_ANY):
        operator: Operator = "contains" if word is Word.CONTAINS_ALL else "excludes"
        made.conditions += [Condition(name, operator, needle) for needle in needles(value)]
        return
    if made.any_of:
        made.rest.append(asked)
    elif word is Word.IS_ANY:
        made.any_of += [Condition(name, "is", item) for item in items(value)]
    elif word is Word.CONTAINS_ANY:
        made.any_of += [Condition(name, "contains", needle) for needle in needles(value)]
    elif word is Word.EXCLUDES_ALL:
        made.any_of += [Condition(name, "excludes", needle) for needle in needles(value)]
    elif splits(value, IMAGE_SPLITS_ON):
        made.any_of.append(Condition(name, "is", value))
    else:
        made.any_of.append(Condition(name, "is", value))
        made.any_of += [Condition(name, "end with", f"{slash}{value}") for slash in IMAGE_SPLITS_ON]
