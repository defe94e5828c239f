"""Files of entries that wait on the disk: what is whole is read, what is not is given up and counted."""

from __future__ import annotations

from contextlib import suppress

from fuzz.target import Target, law, scratch
from pysmon.formats.frame import entry_of, frame, framed, names_frame, names_of, own_names
from pysmon.formats.json_line import json_line
from pysmon.formats.linux_xml import linux_xml_line
from pysmon.pipeline.spill import Spill

_FOLDER = "spill"
_CAP = 1 << 24  # bytes


def check(data: bytes) -> None:
    """The law, of the input as a file, as the content of a frame in one, and as a table of names."""
    _content(data)
    with suppress(ValueError):
        names_of(data)
    kind = data[:1]
    if kind in b"mj":
        _file(names_frame() + framed(data))
    elif kind in b"MJ":
        _file(framed(data[:1].lower() + data[1:]))
    else:
        _file(data)


def _content(data: bytes) -> None:
    try:
        entry = entry_of(data, own_names())
    except ValueError:
        return
    linux_xml_line(entry)
    law(bool(json_line(entry)) and bool(frame(entry)), "an entry that cannot be written")


def _file(data: bytes) -> None:
    folder = scratch() / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    path = folder / "1000000000.frames"
    path.write_bytes(data)
    path.chmod(0o600)
    spill = Spill(folder, _CAP)
    try:
        waiting = spill.entries
        law(waiting >= 0 and spill.bytes >= 0, "fewer than none wait")
        seen = 0
        while spill.entries:
            entries, given_up = spill.read(100)
            law(bool(entries) or given_up > 0, "entries wait that are never read")
            seen += len(entries) + given_up
            spill.delivered(len(entries))
        law(seen == waiting, f"{waiting} entries waited, and {seen} came or were given up")
    finally:
        spill.close()


TARGET = Target(
    "spill",
    "entries that wait on the disk",
    check,
    words=(
        b"m",
        b"j[1,1,1,",
        b'["-",0,0,0,null]',
        b"\x95\xa1-",
        b"\xc0",
        b"\xcf" + b"\xff" * 8,
        b"\xd9\xff",
        b"{}",
        b"NaN",
    ),
)
