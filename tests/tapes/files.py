"""A scene of files, for a tape: times that are set, programs that are written, blocked and shredded, persistence."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

PROGRAM = "/usr/bin/true"
UNITS = Path(".config/systemd/user")
LONG_AGO = 1_000_000_000  # s since 1970
WHILE = 0.5  # s in which what was written is read


def times() -> None:
    Path("report").write_text("text")
    os.utime("report", (LONG_AGO, LONG_AGO))


def programs() -> None:
    shutil.copy(PROGRAM, "tool")
    subprocess.run(["./tool"], check=True)
    shutil.copy(PROGRAM, "refused")
    try:
        subprocess.run(["./refused"], check=True)
    except (FileNotFoundError, PermissionError):
        return
    raise SystemExit("a program that the rules block has run")


def shredding() -> None:
    Path("precious").write_text("precious")
    subprocess.run(["/usr/bin/shred", "precious"], stderr=subprocess.DEVNULL, check=False)


def unit(name: str, text: str) -> None:
    Path("new").write_text(text)
    os.rename("new", UNITS / name)


def persistence() -> None:
    (UNITS / "timers.target.wants").mkdir(parents=True)
    unit("evil.timer", "[Timer]\nOnCalendar=daily\n")
    unit("evil.service", "[Service]\nExecStart=/bin/evil --now\n")
    os.symlink("../evil.timer", UNITS / "timers.target.wants" / "evil.timer")
    time.sleep(WHILE)
    (UNITS / "evil.timer").write_text("[Timer]\nOnBootSec=1\n")
    time.sleep(WHILE)
    os.unlink(UNITS / "evil.timer")


times()
programs()
shredding()
persistence()
time.sleep(WHILE)
os.unlink("report")
