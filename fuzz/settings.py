"""The settings of the service: they are read, or a MisuseError says what is wrong; so with the outputs they name."""

from __future__ import annotations

from fuzz.target import Target, file_of, law, scratch
from pysmon.errors import MisuseError
from pysmon.service.paths import Paths
from pysmon.service.settings import read_settings


def check(data: bytes) -> None:
    """The law."""
    paths = Paths.under(scratch() / "root")
    paths.settings.parent.mkdir(parents=True, exist_ok=True)
    file_of(data, str(paths.settings))
    try:
        settings = read_settings(paths)
    except MisuseError as error:
        law(str(paths.settings) in str(error), "an error that does not name the file")
        return
    queue = settings.queue
    law(min(queue.entries, queue.bytes) > 0 and queue.spill >= 0, "a queue without room")
    law(all(isinstance(output.type, str) for output in settings.outputs), "an output without a type")


TARGET = Target(
    "settings",
    "settings of the service (TOML)",
    check,
    words=(
        *(b"[queue]\n", b"[[output]]\n", b"type = ", b'"syslog"', b'"store"', b"entries = ", b"bytes = ", b"spill = "),
        *(b'"256 MB"', b"1e400", b"inf", b"nan", b"2026-01-01", b"true", b'"""', b"{a = 1}", b"-0", b"0x7f"),
    ),
)
