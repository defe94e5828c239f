"""Three readers of EVTX that others wrote, and what they make of a file: judges over what our writer writes.

Each renders some things in its own way. What is so rendered is brought to one form on both sides, and nothing else:

* guids: in capitals by `evtx` and libevtx, by `evtx` without braces; brought to lower case, without braces
* hexadecimal numbers: python-evtx and libevtx fill them with zeros; brought to the shortest form
* the time of the envelope: `evtx` cuts it to microseconds, python-evtx reckons in floating point; 10 us are allowed
* an optional attribute without a value: python-evtx shows it, empty; left out
* booleans: python-evtx writes `True`
* characters beyond U+FFFF: libevtx 20181227 shows the one 0x3ff before; done to what was written, see `shown_by`
* U+007F: python-evtx leaves it out; likewise
* line ends: every XML parser turns `\\r\\n` and `\\r`, which none of the three escapes, into `\\n`
"""

from __future__ import annotations

import gc
import multiprocessing
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

from pysmon.formats.logged import moment

_NAMESPACE = "{http://schemas.microsoft.com/win/2004/08/events/event}"
_GUID = re.compile(r"\{?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?")
_HEX = re.compile(r"0[xX]([0-9A-Fa-f]+)")


_NO_XML = {0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD}  # what libevtx shows for two characters cannot be parsed


class Seen(NamedTuple):
    """A record as a reader shows it."""

    time: int  # of the envelope, in microseconds since 1970
    system: dict[str, str]
    data: list[tuple[str, str]]

    def differs(self, other: Seen) -> list[str]:
        """In what they differ, in words; nothing if they do not."""
        found = [f"time {self.time} and {other.time}"] if abs(self.time - other.time) > 10 else []
        names = [*self.system, *(name for name in other.system if name not in self.system)]
        here, there = self.system, other.system
        found += [f"{n} {here.get(n)!r} and {there.get(n)!r}" for n in names if here.get(n) != there.get(n)]
        if len(self.data) != len(other.data):
            found.append(f"{len(self.data)} and {len(other.data)} fields")
        return found + [f"{a!r} and {b!r}" for a, b in zip(self.data, other.data, strict=False) if a != b]


def by_evtx(path: Path) -> Iterator[Seen]:
    """The Rust library `evtx`. It may stop with RuntimeError in a damaged file, after what is whole."""
    parser: Any = _package("evtx").PyEvtxParser(str(path), number_of_threads=1)
    for record in parser.records():
        yield _seen(record["data"])


def by_libevtx(path: Path) -> Iterator[Seen]:
    """The tool of libevtx."""
    if not shutil.which("evtxexport"):
        pytest.skip("no evtxexport on this machine (Debian: libevtx-utils)")
    found = subprocess.run(["evtxexport", "-f", "xml", str(path)], capture_output=True, check=False)
    text = found.stdout.decode("utf-8").translate(_NO_XML)
    for event in re.split(r"^(?=<Event )", text, flags=re.MULTILINE)[1:]:
        yield _seen(event.rpartition("</Event>")[0] + "</Event>")


def shown_by(reader: str, seen: Seen) -> Seen:
    """What was written, with the faults of that reader in characters that it cannot show."""
    if reader == "evtx":
        return seen
    spoil = _as_libevtx if reader == "libevtx" else _as_python_evtx
    return seen._replace(data=[(name, spoil(value)) for name, value in seen.data])


def _as_libevtx(text: str) -> str:
    return "".join(chr(ord(c) - 0x3FF) if c > "\uffff" else c for c in text).translate(_NO_XML)


def _as_python_evtx(text: str) -> str:
    return text.replace("\x7f", "")


def by_python_evtx(path: Path) -> Iterator[Seen]:
    """python-evtx: slow, and it believes what the header says of the number of chunks."""
    with _package("Evtx.Evtx").Evtx(str(path)) as log:
        for record in log.records():
            yield _seen(record.xml())


def by_python_evtx_in_processes(path: Path, jobs: int) -> Iterator[Seen]:
    """The same, the same chunks in the same order, but in several processes."""
    with _package("Evtx.Evtx").Evtx(str(path)) as log:
        count = sum(1 for _ in log.chunks())
    with multiprocessing.Pool(jobs, _collect_by_hand) as pool:
        for seen in pool.imap(partial(_of_chunk, path), range(count)):
            yield from seen


def _collect_by_hand() -> None:
    gc.freeze()  # what the process was begun with is not looked at again and again
    gc.disable()


def _of_chunk(path: Path, number: int) -> list[Seen]:
    with _package("Evtx.Evtx").Evtx(str(path)) as log:
        (chunk,) = islice(log.chunks(), number, number + 1)
        seen = [_seen(record.xml()) for record in chunk.records()]
    gc.collect()  # its nodes know each other: to look for such circles again and again takes a third of its time
    return seen


READERS: dict[str, Callable[[Path], Iterator[Seen]]] = {
    "evtx": by_evtx,
    "libevtx": by_libevtx,
    "python-evtx": by_python_evtx,
}


def one_form(value: str) -> str:
    """A value in the one form that all readers and what was written are brought to."""
    if (found := _GUID.fullmatch(value)) is not None:
        return found[1].lower()
    if (found := _HEX.fullmatch(value)) is not None:
        return f"0x{int(found[1], 16):x}"
    if value in ("True", "False"):
        return value.lower()
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        pytest.skip(f"no package {name.partition('.')[0]} (see the dev group)")


def _seen(text: str) -> Seen:
    event = ElementTree.fromstring(text)
    system: dict[str, str] = {}
    for element in event.find(f"{_NAMESPACE}System") or ():
        name = element.tag.removeprefix(_NAMESPACE)
        system |= {f"{name}.{key}": one_form(value) for key, value in element.attrib.items() if value}
        if element.text and element.text.strip():
            system[name] = one_form(element.text)
    found = event.find(f"{_NAMESPACE}EventData")
    data = [(each.get("Name", ""), one_form("".join(each.itertext()))) for each in (found if found is not None else ())]
    return Seen((moment(system.pop("TimeCreated.SystemTime")) or 0) // 1000, system, data)
