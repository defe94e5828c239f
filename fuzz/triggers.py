"""Files about persistence, which anybody may write: units, crontabs, udev rules, at jobs. No error in any case."""

from __future__ import annotations

from typing import get_args

from fuzz.target import Target, law
from pysmon.host.triggers.parts import Binding, Consumer, Filter
from pysmon.host.triggers.places import Place
from pysmon.host.triggers.read import changes, parts_of

_PATHS: dict[Place, tuple[str, ...]] = {
    "unit": ("/etc/systemd/system/a.timer", "/etc/systemd/system/a.service", "/etc/systemd/system/a.path.d/b.conf"),
    "enabled unit": ("/etc/systemd/system/timers.target.wants/a.timer",),
    "udev rules": ("/etc/udev/rules.d/a.rules",),
    "system crontab": ("/etc/crontab", "/etc/anacrontab", "/etc/cron.d/a"),
    "user crontab": ("/var/spool/cron/crontabs/a",),
    "periodic script": ("/etc/cron.daily/a",),
    "at job": ("/var/spool/cron/atjobs/a0000101b2c3d4",),
}


def check(data: bytes) -> None:
    """The law."""
    text = data.decode("utf-8", "surrogateescape")
    for place in get_args(Place):
        for path in _PATHS[place]:
            parts = parts_of(place, path, text)
            law(len(parts) <= 3 * (len(data) + 1), f"{len(parts)} parts of {len(data)} bytes")
            law(all(part.name for part in parts if isinstance(part, Filter | Consumer)), "a part without a name")
            named = {part.name for part in parts if isinstance(part, Consumer)}
            bound = [part for part in parts if isinstance(part, Binding)]
            law(not bound or place == "enabled unit" or bool(named), "something is bound, and there is nothing to do")
            law(not list(changes(parts, parts)), "a file that stays as it is has changed")
            known = parts_of(place, path, None)
            both = [*changes(known, parts), *changes(parts, known)]
            law(len(both) <= 2 * (len(parts) + len(known)), "more changes than parts")


TARGET = Target(
    "triggers",
    "files about persistence",
    check,
    words=(
        *(b"[Timer]\n", b"[Unit]\n", b"[Service]\n", b"[Install]\n", b"ExecStart=", b"OnCalendar=", b"Unit=", b"\\\n"),
        *(b"WantedBy=", b"PathChanged=", b"ListenStream=", b"* * * * * ", b"@reboot ", b"root\t", b"#", b";", b"%"),
        *(
            b'ACTION=="add", ',
            b'RUN+="',
            b'RUN{program}+="',
            b"PROGRAM=",
            b'"',
            b"#!/bin/sh\n",
            b"${SHELL:-/bin/sh} << '",
        ),
        *(
            b"# atrun uid=0 gid=0\n",
            b"marcinDELIMITER",
            b"1\t5\tcron.daily\t",
            b"SHELL=",
            b"\xff",
            b"\xe2\x80\xa8",
            b"\0",
        ),
    ),
    longest=1 << 12,
)
