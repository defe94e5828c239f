"""The stored configuration: it is what was stored, or a StoredError says that it is not."""

from __future__ import annotations

import hashlib

from fuzz.target import Target, file_of, law, scratch
from pysmon.service.paths import Paths
from pysmon.service.stored import StoredError, load

DATA = b'<Sysmon schemaversion="4.90"/>'


def check(data: bytes) -> None:
    """The law. The input is the file that says what the configuration is."""
    paths = Paths.under(scratch() / "root")
    paths.about.parent.mkdir(parents=True, exist_ok=True)
    file_of(DATA, str(paths.configuration))
    file_of(data, str(paths.about))
    try:
        stored = load(paths)
    except StoredError:
        return
    if stored is not None:
        law(stored.sha256 == hashlib.sha256(stored.data).hexdigest(), "not what was stored")
        law(isinstance(stored.name, str) and isinstance(stored.when, int), "a name or a time of another type")


TARGET = Target(
    "stored",
    "what describes the stored configuration (JSON)",
    check,
    words=(
        b'"name": ',
        b'"sha256": ',
        b'"when": ',
        hashlib.sha256(DATA).hexdigest().encode(),
        b"null",
        b"1e5",
        b"\\ud800",
    ),
    longest=4096,
)
