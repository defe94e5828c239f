"""The configuration that the service keeps: its bytes, what it was called, its hash and when it was stored.

Two files hold it: `config.xml` is what was given, byte for byte, and `config.json` says what it is. A save first lays
the bytes beside the file, then replaces `config.json`, then gives the bytes their name: whenever the machine stops,
what `config.json` describes is on the disk, under one of the two names.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pysmon.errors import PysmonError
from pysmon.service.files import make_folder, put_file, sync_folder
from pysmon.service.paths import Paths

_FORGOTTEN = ""  # the hash of no configuration: it was forgotten, and only its files are still to go
_HINT = "give the configuration again: pysmon -c <configfile>, or pysmon -c -- for the defaults"


class StoredError(PysmonError):
    """What is stored is not what was stored: it was damaged, or changed by somebody else."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A configuration as it was given. `sha256` is in lower-case hex; `when` counts nanoseconds since 1970."""

    data: bytes
    name: str  # the file as it was typed, or the command line that made it
    sha256: str
    when: int


@dataclass(frozen=True, slots=True)
class _About:
    name: str
    sha256: str
    when: int


def load(paths: Paths) -> Stored | None:
    """What is stored, None if nothing is; StoredError if its files do not fit each other."""
    about = _about(paths)
    if about is None and paths.configuration.exists():
        raise StoredError(f"nothing says what {paths.configuration} is: {paths.about.name} is missing", hint=_HINT)
    if about is None or about.sha256 == _FORGOTTEN:
        return None
    found = ""
    for path in (paths.configuration, _beside(paths)):  # the latter if a save was cut short
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        digest = hashlib.sha256(data).hexdigest()
        if digest == about.sha256:
            return Stored(data, about.name, about.sha256, about.when)
        found = found or digest
    if not found:
        raise StoredError(f"the stored configuration {paths.configuration} is missing", hint=_HINT)
    raise StoredError(
        f"{paths.configuration} is not what was stored there: its SHA256 is {found}, expected {about.sha256}",
        hint=_HINT,
    )


def save(paths: Paths, data: bytes, name: str, when: int) -> Stored:
    """Store a configuration in place of what was stored. OSError if that fails; the one before then still stands."""
    stored = Stored(data, name, hashlib.sha256(data).hexdigest(), when)
    make_folder(paths.state)
    put_file(_beside(paths), data)
    _describe(paths, _About(name, stored.sha256, when))
    _beside(paths).rename(paths.configuration)
    sync_folder(paths.state)
    return stored


def forget(paths: Paths) -> None:
    """Store nothing any more; fine if nothing was."""
    if not paths.state.is_dir():
        return
    _describe(paths, _About("", _FORGOTTEN, 0))
    paths.configuration.unlink(missing_ok=True)
    _beside(paths).unlink(missing_ok=True)
    sync_folder(paths.state)
    paths.about.unlink()
    sync_folder(paths.state)


def _about(paths: Paths) -> _About | None:
    try:
        fields = json.loads(paths.about.read_bytes())
        return _About(str(fields["name"]), str(fields["sha256"]), int(fields["when"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise StoredError(f"{paths.about} is damaged: {error!r}", hint=_HINT) from error


def _describe(paths: Paths, about: _About) -> None:
    put_file(paths.about, json.dumps(asdict(about)).encode() + b"\n")


def _beside(paths: Paths) -> Path:
    return paths.configuration.with_name("config.xml.new")
