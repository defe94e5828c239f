"""All checks on a field that holds paths: a folder is looked at once, and then only the names in it.

Of most paths that were not seen before, the folder was. A path is cut behind its last `/` or `\\`: the name has none of
these. So a text that it is compared with can reach over the cut in one way only: if it is cut behind its own last one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TypeAlias

from pysmon.rules.comparisons import Comparisons
from pysmon.rules.field_checks import FieldChecks
from pysmon.rules.tree import Hits

_Leaf: TypeAlias = Callable[[str], Hits]  # from a name to the checks that hold for it in some folder
_Rests: TypeAlias = dict[str, Comparisons]  # by what a folder is or ends with, what the names in it are compared with

PATHS = frozenset({"Image", "ParentImage", "SourceImage", "TargetImage", "ImageLoaded", "TargetFilename"})  # fields
_CUTS = "\\/"  # whatever `image` splits on
_FOLDERS = 1024  # that are remembered, for each of what ends them
_LONGEST = 1024  # characters of a folder worth remembering


class PathChecks:
    """The checks on one field of one event type, with the outcome of `FieldChecks`.

    The folder tells which checks hold whatever the name is, and what is to be asked of the name: the same in nearly all
    folders, and something besides in those that a text of the rules speaks of. Checks that cannot be told apart so are
    made on the whole path.
    """

    __slots__ = ("_flipped", "_folder", "_folders", "_leaves", "_names", "_rests", "_shift", "_whole")

    def __init__(self, compared: Comparisons, image_splits_on: str) -> None:
        """Sort out of what a path is compared with what is asked of folders, of names, and of both."""
        self._flipped = compared.negative
        self._names, exact, ends = _cut(compared)
        whole = Comparisons(together=compared.together, ranks=compared.ranks)
        (self._names.equal if {*image_splits_on} == {*_CUTS} else whole.names).update(compared.names)
        self._whole = FieldChecks(whole, image_splits_on) if whole.names or whole.together or whole.ranks else None
        self._rests = [*exact.values(), *ends.values()]
        self._shift = compared.masks.bit_length()  # above the checks, a bit for each of the rests
        bits = [1 << self._shift + n for n in range(len(self._rests))]
        equal, ending = dict(zip(exact, bits, strict=False)), dict(zip(ends, bits[len(exact) :], strict=True))
        told = Comparisons(equal=equal, beginnings=compared.beginnings, ends=ending, parts=compared.parts)
        self._folder = FieldChecks(told, image_splits_on)
        self._folders: dict[str, dict[str, tuple[Hits, _Leaf]]] = {cut: {} for cut in ("", *_CUTS)}
        self._leaves: dict[Hits, _Leaf] = {}  # by the bits of the rests: few, as most of them exclude each other

    def hits(self, text: str) -> Hits:
        """Which of the checks hold for a text."""
        folder, cut, name = text.rpartition("/")
        if not cut or "\\" in name:
            folder, cut, name = text.rpartition("\\")  # or nowhere: then all is the name
        found, leaf = self._folders[cut].get(folder) or self._enter(folder, cut)
        found |= leaf(name)
        if self._whole is not None:
            found |= self._whole.hits(text)
        return found ^ self._flipped

    def _enter(self, folder: str, cut: str) -> tuple[Hits, _Leaf]:
        found = self._folder.hits(folder + cut)
        rests = found >> self._shift
        leaf = self._leaves.get(rests)
        if leaf is None:
            own = [rest for n, rest in enumerate(self._rests) if rests >> n & 1]
            leaf = self._leaves[rests] = FieldChecks(_joined(self._names, *own), "").hits
        told = found ^ rests << self._shift, leaf
        if len(folder) <= _LONGEST:
            known = self._folders[cut]
            if len(known) >= _FOLDERS:
                known.clear()
            known[folder] = told
        return told


def _cut(compared: Comparisons) -> tuple[Comparisons, _Rests, _Rests]:
    """What names are compared with: in all folders, by the folder itself, and by what it ends with."""
    names, (exact, ends) = Comparisons(), (defaultdict[str, Comparisons](Comparisons) for _ in range(2))
    for text, mask in compared.equal.items():
        folder, name = _parted(text)
        exact[folder].equal[name] |= mask
    for text, mask in compared.beginnings.items():
        folder, name = _parted(text)
        if name:  # of a folder itself, the folder tells
            exact[folder].beginnings[name] |= mask
    for text, mask in compared.ends.items():
        folder, name = _parted(text)
        (ends[folder].equal if folder else names.ends)[name] |= mask
    for text, mask in compared.parts.items():
        folder, name = _parted(text)
        if not folder:
            names.parts[name] |= mask
        elif name:
            ends[folder].beginnings[name] |= mask
    return names, exact, ends


def _parted(text: str) -> tuple[str, str]:
    """What of a text would lie in the folder if it reached into the name, and what in the name."""
    cut = max(map(text.rfind, _CUTS)) + 1
    return text[:cut], text[cut:]


def _joined(*several: Comparisons) -> Comparisons:
    made = Comparisons()
    for each in several:
        for into, table in zip(made.tables, each.tables, strict=True):
            for text, mask in table.items():
                into[text] |= mask
    return made
