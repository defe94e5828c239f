"""Makes the tapes of this folder anew, and what they must read as; run it as root when a record layout has changed.

    PYTHONPATH=src:. python tests/tapes/make.py           records what can be recorded here (build the sensor first)
    PYTHONPATH=src:. python tests/tapes/make.py files     records this one
    PYTHONPATH=src:. python tests/tapes/make.py lines     records nothing: all lines anew, from the tapes as they are

`modules` loads a module and needs a kernel that allows fexit: record it in a throw-away machine, and bring the tape
here from the folder that PYSMON_TAPES names there.

Each tape is a staged scene, watched as a command is: nothing else on the machine is. Before a tape is kept, whatever
would tell of the machine that recorded it is replaced: its name and ids, its time, who was logged in, the recorder.
`git diff` then shows what a change of the code means for the lines.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.conftest import ROOT
from tests.sensor.clipboard.conftest import start_x_server
from tests.tapes.play import TAPES, play, rules_for

from pysmon.formats.table import FORMATS
from pysmon.layout.record import Record
from pysmon.pipeline.live import Session
from pysmon.sensor.records import ExecRecord, FileTimeRecord, GuardRecord, TaskRecord, components_of, decode
from pysmon.sensor.tape import Tape, TapeWriter


@dataclass(frozen=True)
class Scene:
    """What is done, and how it is watched."""

    script: Path
    program: str = "/usr/bin/python3"
    disk: bool = False  # on a file system of its own, whose files are watched, by the rules for files
    guarded: bool = False  # what is done to the recorder is told, too
    display: bool = False  # on a display of its own, whose clipboard is read


SCENES = {
    "intrusion": Scene(ROOT / "examples" / "intrusion.sh", "/bin/sh"),
    "odd": Scene(TAPES / "odd.py"),
    "places": Scene(TAPES / "places.py"),
    "names": Scene(TAPES / "names.py"),
    "injection": Scene(TAPES / "injection.py"),
    "files": Scene(TAPES / "files.py", disk=True),
    "machine": Scene(TAPES / "machine.py", guarded=True),
    "clipboard": Scene(TAPES / "clipboard.sh", "/bin/sh", display=True),
}
ELSEWHERE = {"modules": Scene(TAPES / "modules.py")}
LINES = (  # what is kept of them as text
    *("intrusion.json", "odd.json", "odd.xml", "places.json", "names.json", "injection.json"),
    *("files.json", "machine.json", "modules.json", "clipboard.json"),
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
    FileTimeRecord: {"previous_seconds": _BEGIN // _SECOND, "previous_nanoseconds": 0},
    GuardRecord: {"parent_image": components_of("/usr/bin/python3")},
    ExecRecord: {"login_uid": _UNSET, "session": _UNSET, "tty": b"", "cgroup": 1, "cgroup_path": b""},
}


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    folder = Path(os.environ.get("PYSMON_TAPES", TAPES))
    names = [] if arguments == ["lines"] else arguments or [*SCENES]
    for name in names:
        record((SCENES | ELSEWHERE)[name], folder / f"{name}.tape")
    for file in LINES if folder == TAPES else ():
        if not names or file.partition(".")[0] in names:
            (TAPES / file).write_bytes(lines_of(file))


def record(scene: Scene, tape: Path) -> None:
    """Watch the script, copied to a folder below /tmp, and keep what the kernel tells."""
    os.environ.clear()
    os.environ.update(PATH="/usr/bin:/bin", PYTHONDONTWRITEBYTECODE="1", RECORDER=str(os.getpid()))
    with (
        tempfile.TemporaryDirectory(prefix="stage-", dir="/tmp") as folder,
        disk(folder if scene.disk else ""),
        display(folder if scene.display else "") as displays,
    ):
        os.chdir(folder)
        copy = Path(shutil.copy(scene.script, folder))
        raw = Path(folder) / "raw.tape"
        session = Session(
            rules_for(tape.stem),
            command=[scene.program, str(copy)],
            record_to=raw,
            guarded=scene.guarded,
            mounts=[Path(folder)] if scene.disk else None,
            displays=displays,
        )
        for _ in session.batches(threading.Event()):
            pass
        outcome = session.outcome
        if outcome is None or outcome.exit_status or outcome.lost:
            raise SystemExit(f"{scene.script}: the scene has failed, no tape was made: {outcome}")
        neutral_copy(Tape(raw), tape)


@contextmanager
def disk(folder: str) -> Iterator[None]:
    """A file system of its own in that folder, if one is named."""
    if folder:
        subprocess.run(["/bin/mount", "-t", "tmpfs", "none", folder], check=True)
    try:
        yield
    finally:
        os.chdir("/")
        if folder:
            subprocess.run(["/bin/umount", folder], check=True)


@contextmanager
def display(folder: str) -> Iterator[list[Path]]:
    """An X server of its own, whose cookie lies in that folder, if one is named; gives its socket."""
    if not folder:
        yield []
        return
    server = start_x_server(Path(folder))
    os.environ.update(server.environment)
    try:
        yield [server.socket]
    finally:
        server.stop()


def neutral_copy(raw: Tape, path: Path) -> None:
    """The same records in the same order, without what tells of the machine."""
    found = [decode(data) for data in raw.records]
    offset = _BEGIN - min(r.time for r in found)
    with TapeWriter(path) as writer:
        writer.facts(machine_id=0x5EED5EED, boot_id=1, boot_time=offset - offset % _SECOND, clock_offset=offset)
        writer.facts(computer="host", users=USERS, closes_told=raw.facts.get("closes_told", False))
        for number, each in enumerate(found):
            known = dict(zip(each.layout.names, each, strict=True))
            writer.record(type(each).make(**(known | _NEUTRAL.get(type(each), {}))).encode())
            if number in raw.texts:
                writer.text(raw.texts[number])


def lines_of(file: str) -> bytes:
    """All events of a tape as lines: `odd.xml` are those of odd.tape as XML."""
    name, _, form = file.partition(".")
    return b"".join(FORMATS[form].render(entry) + b"\n" for entry in play(name, rules_for(name)).entries)


if __name__ == "__main__":
    main(sys.argv[1:])
