"""A machine of its own (PID and mount namespaces) with one display, watched as all displays of a machine are.

unshare --mount --pid --fork --mount-proc python -m tests.sensor.clipboard.own_machine
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.sensor.clipboard.conftest import NOBODY, start_x_server, wait_for

from pysmon.sensor.clipboard.watch import ClipboardWatch
from pysmon.sensor.clipboard.wire import display_text
from pysmon.sensor.records import ClipboardRecord

_NEW_MOUNTS = 0x20000  # CLONE_NEWNS, linux/sched.h


def machine() -> None:
    """Be process 1: nothing of the real machine's displays and sessions is to be seen."""
    for folder in ("/tmp", "/run"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "none", folder], check=True)
    home, sessions = Path("/tmp/home"), Path("/run/systemd/sessions")
    home.mkdir(mode=0o755)
    sessions.mkdir(parents=True)
    server = start_x_server(home, NOBODY)
    facts = {"UID": str(NOBODY), "TYPE": "x11", "DISPLAY": server.environment["DISPLAY"], "REMOTE_HOST": "desk"}
    (sessions / "5").write_text("".join(f"{name}={value}\n" for name, value in facts.items()))
    ours, its = os.pipe()
    service = os.fork()
    if service == 0:
        watch(its)
        os._exit(0)
    os.close(its)
    with os.fdopen(ours) as told:
        print(told.readline(), end="")
        owner = server.start("xclip", "-selection", "clipboard", "-quiet", text=b"mine")
        print(told.readline(), end="")
    owner.kill()
    server.stop()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(service, 0)[1]))


def watch(output: int) -> None:
    """Be a service with a /tmp of its own (PrivateTmp=)."""
    if ctypes.CDLL(None).unshare(_NEW_MOUNTS):
        raise OSError("no mount namespace")
    subprocess.run(["mount", "-t", "tmpfs", "none", "/tmp"], check=True)
    assert not os.listdir("/tmp")
    watcher = ClipboardWatch()
    watcher.want(True)
    wait_for(lambda: not watcher.turn() and watcher.watched, "no display was found")
    os.write(output, f"{display_text(watcher.watched[0])}\n".encode())
    found: list[ClipboardRecord] = []

    def came() -> bool:
        found.extend(watcher.turn())
        return bool(found)

    wait_for(came, "no change came")
    told = [found[0].uid, found[0].session, Path(watcher.content(found[0].token)).read_text()]
    os.write(output, f"{json.dumps(told)}\n".encode())
    watcher.close()


if __name__ == "__main__":
    machine()
