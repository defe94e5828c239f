"""What the values of a field look like, where that is known: by the kind of the field, or by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

from pysmon.lint.language import DIGITS, HEX, Either, Language, Run, literal
from pysmon.schema.event import EventType
from pysmon.schema.kinds import BOOLEAN, GUID, HEX_INT32, HEX_INT64, PID, TIME, UINT16, UINT32, UINT64

NONE = literal("-")  # what stands for a value that there is not
_ALGORITHMS = (("SHA1", 40), ("MD5", 32), ("SHA256", 64), ("IMPHASH", 32))  # in the order in which Sysmon writes them


@dataclass(frozen=True, slots=True)
class Domain:
    """The values of a field: `sort` is what they are, `expected` says it in words."""

    sort: str  # number, boolean, mask, identifier, hash, address, word
    expected: str
    language: Language | Either


def _number(digits: int, largest: int) -> Domain:
    sequences = [literal("0"), [Run(DIGITS[1:]), Run(DIGITS, 0, digits - 1)], NONE]
    return Domain("number", f"a number from 0 to {largest}, in decimal", Language(sequences, largest=largest))


def _mask(digits: int) -> Domain:
    hexadecimal = [*literal("0x"), Run(HEX[1:]), Run(HEX, 0, digits - 1)]
    decimal = [Run(DIGITS, 1, 20)]  # LogonId, as Sysmon for Linux writes it
    sequences = [literal("0x0"), hexadecimal, NONE, *([decimal] if digits > 8 else [])]
    return Domain("mask", "a number such as 0x1410, without zeros before it", Language(sequences))


def _words(*known: str) -> Domain:
    return Domain("word", f"one of {', '.join(known)}", Language([*map(literal, known), NONE]))


def _groups(sizes: str, characters: str = HEX) -> list[Run]:
    """`8-4-4` as runs of so many characters, with what stands between them."""
    runs = []
    for character in sizes:
        runs += [Run(characters, int(character), int(character))] if character.isdigit() else [Run(character)]
    return runs


_GUID = Language([[Run("{"), *_groups("8-4-4-4-"), Run(HEX, 12, 12), Run("}")], NONE])
_TIME = Language([_groups("4-2-2 2:2:2.3", DIGITS), NONE])
_V4 = [run for n in range(4) for run in (*([Run(".")] if n else []), Run(DIGITS, 1, 3))]
_V6 = [run for n in range(8) for run in (*([Run(":")] if n else []), Run(HEX, 1, 4))]

_BY_KIND: Mapping[str, Domain] = {
    BOOLEAN.name: Domain("boolean", "true or false", Language([literal("true"), literal("false"), NONE])),
    UINT16.name: _number(5, 2**16 - 1),
    UINT32.name: _number(10, 2**32 - 1),
    UINT64.name: _number(20, 2**64 - 1),
    PID.name: _number(10, 2**32 - 1),
    HEX_INT32.name: _mask(8),
    HEX_INT64.name: _mask(16),
    GUID.name: Domain("identifier", "an identifier such as {c9eb4a87-4093-637f-789d-2406ab550000}", _GUID),
    TIME.name: Domain("identifier", "a time such as 2026-11-21 08:15:00.300", _TIME),
}
_ADDRESS = Domain(
    "address", "an address such as 192.0.2.1, or fe80:0:0:0:0:0:0:1 without ::", Language([_V4, _V6, NONE])
)
_BY_NAME: Mapping[str, Domain] = {
    "SourceIp": _ADDRESS,
    "DestinationIp": _ADDRESS,
    "Protocol": _words("tcp", "udp"),
    "Operation": _words("Created", "Modified", "Deleted"),
    "IntegrityLevel": _words(
        "Untrusted",
        "Low",
        "Medium",
        "Medium Plus",
        "High",
        "System",
        "AppContainer",
        "Protected Process",
        "no level",
        "?",
    ),
}
_EVENT_TYPES: Mapping[int, Domain] = {
    12: _words("CreateKey", "DeleteKey", "CreateValue", "DeleteValue"),
    13: _words("SetValue"),
    14: _words("RenameKey", "RenameValue"),
    17: _words("CreatePipe"),
    18: _words("ConnectPipe"),
    19: _words("WmiFilterEvent"),
    20: _words("WmiConsumerEvent"),
    21: _words("WmiBindingEvent"),
}


def domain_of(event: EventType, name: str, algorithms: tuple[str, ...] | None) -> Domain | None:
    """The values of a field of an event; None if they can be any text. `algorithms` are those of HashAlgorithms."""
    field = event.field(name)
    if field is None:
        return None
    if name in ("Hashes", "Hash"):
        return _hashes(algorithms or tuple(known for known, _ in _ALGORITHMS))
    if name == "EventType":
        return _EVENT_TYPES.get(event.id)
    return _BY_NAME.get(name) or _BY_KIND.get(field.kind.name)


def joined(domains: Sequence[Domain]) -> Domain:
    """The values of any of them, which are all of one sort."""
    first = domains[0]
    if all(domain is first for domain in domains):
        return first
    expected = " or ".join(dict.fromkeys(domain.expected for domain in domains))
    return Domain(first.sort, expected, Either(tuple(domain.language for domain in domains)))


@cache
def _hashes(algorithms: tuple[str, ...]) -> Domain:
    """Those of a file: of each algorithm one or none (a file may have no IMPHASH), always in the same order."""
    kept = [known for known in _ALGORITHMS if known[0] in algorithms]
    sequences = [NONE, literal("Unknown")]
    for chosen in product((False, True), repeat=len(kept)):
        runs: list[Run] = []
        for (algorithm, digits), taken in zip(kept, chosen, strict=True):
            if taken:
                runs += [*literal("," if runs else ""), *literal(f"{algorithm}="), Run(HEX, digits, digits)]
        if runs:
            sequences.append(runs)
    names = ", ".join(f"{algorithm}= with {digits} digits" for algorithm, digits in kept)
    return Domain("hash", f"hashes as Sysmon writes them ({names}, with commas)", Language(sequences))
