"""Makes the tapes of this folder anew, and what they must read as; run it as root when a record layout has changed.

    PYTHONPATH=src:. python tests/tapes/make.py           records all tapes (the sensor must be built), writes all lines
    PYTHONPATH=src:. python tests/tapes/make.py lines     writes only the lines, from the tapes as they are

Each tape is a staged scene, watched as a command is: nothing else on the machine is. Before a tape is kept, whatever
would tell of the machine that recorded it is replaced: its name and ids, its time, who was logged in, the recorder.
`git diff` then shows what a change of the code means for the lines.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

from tests.conftest import ROOT
from tests.tapes.play import TAPES, everything, play, tape_of

from pysmon.formats.table import FORMATS
from pysmon.layout.record import Record
from pysmon.pipeline.live import Session
from pysmon.sensor.records import ExecRecord, TaskRecord, components_of, decode
from pysmon.sensor.tape import Tape, TapeWriter

SCENES = {
    "intrusion": ("/bin/sh", ROOT / "examples" / "intrusion.sh"),
    "odd": ("/usr/bin/python3", TAPES / "odd.py"),
    "places": ("/usr/bin/python3", TAPES / "places.py"),
    "names": ("/usr/bin/python3", TAPES / "names.py"),
    "injection": ("/usr/bin/python3", TAPES / "injection.py"),
}
LINES = (  # what is kept of them as text
    *("intrusion.json", "odd.json", "odd.xml"),
    *("places.json", "names.json", "injection.json"),
)
USERS = {"0": "root", "65534": "nobody"}

_SECOND = 1_000_000_000
_BEGIN = int(datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()) * _SECOND  # when all tapes were recorded, so they say
_UNSET = 0xFFFFFFFF
_NEUTRAL: dict[type[Record], dict[str, int | bytes]] = {
    TaskRecord: {
        "login_uid": _UNSET,
        "session": _UNSET,
        "image": components_of("/usr/bin/python3"),
        "directory": components_of("/tmp"),
        "tty": b"",
        "cgroup_path": b"",
        "args": b"python3\0record\0",
    },
    ExecRecord: {"login_uid": _UNSET, "session": _UNSET, "tty": b"", "cgroup": 1, "cgroup_path": b""},
}


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    if arguments != ["lines"]:
        for name, (program, script) in SCENES.items():
            record(program, script, tape_of(name))
    for file in LINES:
        (TAPES / file).write_bytes(lines_of(file))


def record(program: str, script: Path, tape: Path) -> None:
    """Watch the script, copied to a folder below /tmp, and keep what the kernel tells."""
    os.environ.clear()
    os.environ.update(PATH="/usr/bin:/bin", PYTHONDONTWRITEBYTECODE="1")
    with tempfile.TemporaryDirectory(prefix="stage-", dir="/tmp") as folder:
        os.chdir(folder)
        copy = Path(shutil.copy(script, folder))
        raw = Path(folder) / "raw.tape"
        session = Session(everything(), command=[program, str(copy)], record_to=raw)
        for _ in session.batches(threading.Event()):
            pass
        outcome = session.outcome
        if outcome is None or outcome.exit_status or outcome.lost:
            raise SystemExit(f"{script}: the scene has failed, no tape was made: {outcome}")
        neutral_copy(Tape(raw), tape)
        os.chdir("/")


def neutral_copy(raw: Tape, path: Path) -> None:
    """The same records in the same order, without what tells of the machine."""
    found = [decode(data) for data in raw.records]
    offset = _BEGIN - min(r.time for r in found)
    with TapeWriter(path) as writer:
        writer.facts(machine_id=0x5EED5EED, boot_id=1, boot_time=offset - offset % _SECOND, clock_offset=offset)
        writer.facts(computer="host", users=USERS)
        for each in found:
            known = dict(zip(each.layout.names, each, strict=True))
            writer.record(type(each).make(**(known | _NEUTRAL.get(type(each), {}))).encode())


def lines_of(file: str) -> bytes:
    """All events of a tape as lines: `odd.xml` are those of odd.tape as XML."""
    name, _, form = file.partition(".")
    return b"".join(FORMATS[form].render(entry) + b"\n" for entry in play(name).entries)


if __name__ == "__main__":
    main(sys.argv[1:])
