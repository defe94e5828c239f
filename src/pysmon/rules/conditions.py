"""The comparisons of Sysmon's rule language, each as a plain function of two texts."""

from __future__ import annotations

from collections.abc import Callable

from pysmon.config.model import Condition

# What ends a folder's name in a path, for `image`. Sysmon's own engine knows only the backslash, also on Linux.
IMAGE_SPLITS_ON = "\\/"


def fold(text: str) -> str:
    """The text with A to Z in lower case and all else as it is: how Sysmon for Linux ignores case."""
    if text.isascii():
        return text.lower()
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")  # bytes fold ASCII only


def rank(text: str) -> bytes:
    """A key that sorts texts as `less than` and `more than` do: by UTF-16 units, a to z taken as A to Z."""
    upper = text.encode("utf-8", "surrogatepass").upper()  # bytes fold ASCII only
    return upper.decode("utf-8", "surrogatepass").encode("utf-16-be", "surrogatepass")


def items(value: str) -> list[str]:
    """The texts of a `;` list, as `is any` takes them: spaces belong to the text, and a text may be empty."""
    return value.split(";")


def needles(value: str) -> list[str]:
    """The texts that the `any` and `all` conditions on parts look for in a `;` list.

    An empty text within the list stands for all of the list from that place on, `;` included: `a;;b` looks for `a`,
    `;b` and `b`. (Sysmon's search takes a length of 0 to mean "to the end".) After a trailing `;` it is the empty text.
    """
    texts = value.split(";")
    return [text or ";".join(texts[i:]) for i, text in enumerate(texts)]


def last_part(text: str, splits_on: str) -> str:
    """What follows the last of the characters `splits_on`: the file name of a path."""
    for character in splits_on:
        text = text[text.rfind(character) + 1 :]
    return text


def splits(value: str, splits_on: str) -> bool:
    """True if an `image` value names a folder, so that whole paths are compared with it."""
    return any(character in value for character in splits_on)


NEGATED = {  # each negative condition is true exactly where the other is not
    Condition.IS_NOT: Condition.IS,
    Condition.EXCLUDES: Condition.CONTAINS,
    Condition.EXCLUDES_ANY: Condition.CONTAINS_ANY,
    Condition.EXCLUDES_ALL: Condition.CONTAINS_ALL,
    Condition.NOT_BEGIN_WITH: Condition.BEGIN_WITH,
    Condition.NOT_END_WITH: Condition.END_WITH,
}


def holds(condition: Condition, value: str, text: str, image_splits_on: str = IMAGE_SPLITS_ON) -> bool:
    """True if the text of a field meets the condition with the value of the configuration."""
    if condition in NEGATED:
        return not holds(NEGATED[condition], value, text, image_splits_on)
    if condition is Condition.IMAGE:
        return _image(image_splits_on, fold(value), fold(text))
    return _POSITIVE[condition](fold(value), fold(text))


def _equals(value: str, text: str) -> bool:
    return text == value


def _equals_any(value: str, text: str) -> bool:
    return text in items(value)


def _contains(value: str, text: str) -> bool:
    return text != "" and value in text  # nothing is found in an empty field, not even the empty text


def _contains_any(value: str, text: str) -> bool:
    return any(_contains(needle, text) for needle in needles(value))


def _contains_all(value: str, text: str) -> bool:
    return all(_contains(needle, text) for needle in needles(value))


def _begins(value: str, text: str) -> bool:
    return text.startswith(value)


def _ends(value: str, text: str) -> bool:
    return text.endswith(value)


def _less(value: str, text: str) -> bool:
    return rank(text) < rank(value)


def _more(value: str, text: str) -> bool:
    return rank(text) > rank(value)


def _image(splits_on: str, value: str, text: str) -> bool:
    return text == value if splits(value, splits_on) else last_part(text, splits_on) == value


_POSITIVE: dict[Condition, Callable[[str, str], bool]] = {
    Condition.IS: _equals,
    Condition.IS_ANY: _equals_any,
    Condition.CONTAINS: _contains,
    Condition.CONTAINS_ANY: _contains_any,
    Condition.CONTAINS_ALL: _contains_all,
    Condition.BEGIN_WITH: _begins,
    Condition.END_WITH: _ends,
    Condition.LESS_THAN: _less,
    Condition.MORE_THAN: _more,
}
