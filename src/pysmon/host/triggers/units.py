"""Units of systemd: what a timer, a path or a socket waits for, what a service runs, and what is enabled."""

from __future__ import annotations

from posixpath import basename, dirname

from pysmon.host.triggers.parts import Binding, Consumer, Filter, Part, path_of

_WAITS = {"timer": ("On",), "path": ("Path", "Directory"), "socket": ("Listen",)}  # how their conditions begin
_SECTIONS = {"timer": "Timer", "path": "Path", "socket": "Socket", "service": "Service"}
_NO_CONDITION = ("DirectoryMode",)
SERVICE = "systemd service"


def unit_parts(path: str, text: str | None) -> tuple[Part, ...]:
    """The part that a unit's file is (or that a drop-in changes); without its text the name is all that is known."""
    name = basename(path)
    if name.endswith(".conf"):
        name = basename(dirname(path)).removesuffix(".d")
    kind = name.rpartition(".")[2]
    settings = _settings(text or "", _SECTIONS[kind])
    if kind == "service":
        runs = [f"{key}={value}" if key != "ExecStart" else value for key, value in settings if key.startswith("Exec")]
        return (Consumer(SERVICE, name, "; ".join(runs) or "-"),)
    waits = [f"{k}={v}" for k, v in settings if k.startswith(_WAITS[kind]) and k not in _NO_CONDITION]
    return (Filter("systemd", name, "; ".join(waits) or "-"),)


def enabled_parts(path: str, read_unit: str | None) -> tuple[Part, ...]:
    """What binds a unit that was enabled: a timer, path or socket to its service, a service to what wants it.

    `read_unit` is the text of the unit, which may name another service than the one of its own name.
    """
    name, wanting = basename(path), basename(dirname(path)).rpartition(".")[0]
    stem, _, kind = name.rpartition(".")
    if kind == "service":
        return (Binding(path_of(SERVICE, name), path_of("systemd target", wanting)),)
    settings = dict(_settings(read_unit or "", _SECTIONS[kind]))
    key = "Service" if kind == "socket" else "Unit"
    return (Binding(path_of(SERVICE, settings.get(key, f"{stem}.service")), path_of(f"systemd {kind}", name)),)


def _settings(text: str, section: str) -> list[tuple[str, str]]:
    """The settings of a section that have a value, in their order; lines that end with a backslash go on."""
    found, here = [], False
    for line in text.replace("\\\n", " ").splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            here = stripped == f"[{section}]"
        elif here and stripped[:1] not in ("#", ";"):
            key, separator, value = stripped.partition("=")
            if separator and value.strip():
                found.append((key.strip(), " ".join(value.split())))
    return found
