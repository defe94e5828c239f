"""Events as XML text: what wevtutil and Get-WinEvent write, Event Viewer saves, and Sysmon for Linux sends to syslog.

Events are looked for one by one (`<Event` to `</Event>`), so that a root element, an XML declaration, the prefix of a
syslog line or no wrapper at all make no difference. Attributes may stand in either quotes; the text may be UTF-8 or
UTF-16 in either byte order. What stands beside `<System>` and `<EventData>` (the rendered message) is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from pysmon.sources.found import Found, NoEventError, all_taken
from pysmon.sources.source import Taken, Tally, Wanted
from pysmon.sources.streams import Bytes
from pysmon.sources.texts import texts

_LONGEST = 1 << 21  # characters of one event
_BEGIN = re.compile(r"<Event(?=[\s>])")
_END = "</Event>"
_DATA = re.compile(r"""<Data\s+Name\s*=\s*(?:'([^']*)'|"([^"]*)")\s*(?:/>|>([^<]*)</Data\s*>)""")
_NAMELESS = re.compile(r"<Data\s*>([^<]*)</Data\s*>")
_ENTITY = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _attribute(element: str, name: str) -> re.Pattern[str]:
    return re.compile(rf"""<{element}\s[^<>]*?\b{name}\s*=\s*(?:'([^']*)'|"([^"]*)")""")


def _element(name: str) -> re.Pattern[str]:
    return re.compile(rf"<{name}(?:\s[^<>]*)?>([^<]*)<()")


_PROVIDER = _attribute("Provider", "Name")
_CREATED = _attribute("TimeCreated", "SystemTime")
_PROCESS = _attribute("Execution", "ProcessID")
_THREAD = _attribute("Execution", "ThreadID")
_USER = _attribute("Security", "User[Ii][Dd]")
_EVENT_ID, _VERSION, _RECORD = _element("EventID"), _element("Version"), _element("EventRecordID")
_CHANNEL, _COMPUTER = _element("Channel"), _element("Computer")


def has_event(text: str) -> bool:
    """Whether an event begins in a text."""
    return _BEGIN.search(text) is not None


def read_xml(source: Bytes, tally: Tally, wanted: Wanted) -> Iterator[Taken]:
    """The events of a text."""
    with source.open() as stream:
        events = events_in(texts(stream, tally), tally)
        yield from all_taken(((place, partial(found_in, text)) for place, text in events), tally, wanted)


def found_in(text: str) -> Found:
    """What one event says; NoEventError if it is none."""
    if "<!" in text:
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise NoEventError("a document type stands in the event (expected plain elements)")
        text = _without_comments(_with_plain_text(text))
    end = text.find("</System>")
    if end < 0:
        raise NoEventError("an event without its <System>")
    system, data = text[:end], text[end:]
    provider = _first(_PROVIDER, system) or ""
    fields: dict[str, object] = {}
    if "Sysmon" in provider:
        begin, stop = data.find("<EventData"), data.rfind("</EventData>")
        data = data[begin:stop] if 0 <= begin < stop else ""
        fields = {one or other: value for one, other, value in _DATA.findall(data)}
        if "&" in data:
            fields = {unescaped(name): unescaped(str(value)) for name, value in fields.items()}
        if not fields:
            fields = {f"#{at}": unescaped(value) for at, value in enumerate(_NAMELESS.findall(data), 1)}
    return Found(
        provider,
        _first(_CHANNEL, system) or "",
        _first(_EVENT_ID, system),
        fields,
        created=_first(_CREATED, system),
        record_id=_first(_RECORD, system),
        computer=_first(_COMPUTER, system),
        process_id=_first(_PROCESS, system),
        thread_id=_first(_THREAD, system),
        user=_first(_USER, system),
        version=_first(_VERSION, system),
    )


def unescaped(text: str) -> str:
    """XML text with its entities and character references put in."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def events_in(pieces: Iterator[str], tally: Tally) -> Iterator[tuple[str, str]]:
    """The events of a text, each with the line that it begins in; what is cut off is told."""
    held, line = "", 1
    for piece in pieces:
        held += piece
        at = 0
        while (begin := _BEGIN.search(held, at)) is not None:
            following = _BEGIN.search(held, begin.end())
            end = held.find(_END, begin.end(), following.start() if following else len(held))
            if end < 0 and following is None:
                break
            line += held.count("\n", at, begin.start())
            at = begin.start()
            if following is not None and end < 0:
                tally.damage(f"line {line}", "an event that does not end (the next one begins within it)")
                stop = following.start()
            else:
                stop = end + len(_END)
                yield f"line {line}", held[at:stop]
            line += held.count("\n", at, stop)
            at = stop
        keep = begin.start() if begin is not None else max(at, len(held) - len("<Event "))
        if len(held) - keep > _LONGEST:
            tally.damage(f"line {line}", f"an event that does not end within {_LONGEST} characters")
            keep = len(held)
        line += held.count("\n", at, keep)
        held = held[keep:]
    if _BEGIN.search(held):
        tally.damage(f"line {line}", "an event that does not end")


def _with_plain_text(text: str) -> str:
    """Without CDATA. Behind the last end there is nothing to find, and looking for it would take a day."""
    end = text.rfind("]]>") + 3
    return _CDATA.sub(lambda found: found[1].translate(_MARKUP), text[:end]) + text[end:]


def _without_comments(text: str) -> str:
    end = text.rfind("-->") + 3
    return _COMMENT.sub("", text[:end]) + text[end:]


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return unescaped(found[1] or found[2] or "") if found else None


def _character(found: re.Match[str]) -> str:
    if found[3]:
        return _NAMED[found[3]]
    code = int(found[1], 16) if found[1] else int(found[2])
    return chr(code) if code <= 0x10FFFF else found[0]
