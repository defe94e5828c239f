"""Tables of cron, jobs of at, rules of udev: each entry says when, what, and is in force at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename, dirname

from pysmon.host.triggers.parts import Consumer, Filter, Part, bound

_ENTRIES = 64  # of a file that are told
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\s*=")
_WORD = re.compile(r"\S+\s+")
_RULE = re.compile(r'([A-Z_]+(?:\{[^}]*\})?)\s*(==|!=|\+=|:=|-=|=)\s*e?"((?:[^"\\]|\\.)*)"')
_RUNS = ("RUN", "PROGRAM", "IMPORT{program}")
COMMAND, SCRIPT, JOB, RUN = "cron command", "cron script", "at job", "udev command"


def crontab_parts(path: str, text: str | None, *, names_user: bool) -> tuple[Part, ...]:
    """The entries of a crontab. `names_user`: after the time the user is named, as in those of the system."""
    if text is None:
        return bound(Filter("cron", path), Consumer(COMMAND, path), "cron entry")
    anacron = basename(path) == "anacrontab"
    parts: list[Part] = []
    for when, what in list(_entries(text, names_user, anacron))[:_ENTRIES]:
        parts += bound(Filter("cron", path, when), Consumer(COMMAND, path, what), "cron entry")
    return tuple(parts)


def _entries(text: str, names_user: bool, anacron: bool) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped[0] == "#" or _VARIABLE.match(stripped):
            continue
        count = 2 if anacron else 1 if stripped[0] == "@" else 5
        when, rest = _words(stripped, count)
        if anacron or names_user:  # anacron: the name of the job
            _, rest = _words(rest, 1)
        if rest:
            yield when, rest


def _words(text: str, count: int) -> tuple[str, str]:
    """The first words of a text, and what follows; nothing follows if there are fewer."""
    at = 0
    for _ in range(count):
        found = _WORD.match(text, at)
        if found is None:
            return text, ""
        at = found.end()
    return " ".join(text[:at].split()), text[at:]


def script_parts(path: str) -> tuple[Part, ...]:
    """A script in a folder of cron: the folder says when."""
    when = "@" + basename(dirname(path)).removeprefix("cron.")
    return bound(Filter("cron", path, when), Consumer(SCRIPT, path, path), "cron entry")


def job_parts(path: str, text: str | None) -> tuple[Part, ...]:
    """A job of at: its name holds the minute (since 1970) in hex, its text the commands after the environment."""
    minute = int(basename(path)[-8:], 16)
    commands = []
    for line in (text or "").splitlines():
        stripped = line.strip()
        if stripped and stripped[0] != "#" and "; export " not in stripped and not stripped.startswith("umask "):
            commands.append(stripped)
    # What at itself writes: a change of directory with two lines for its failure.
    told = [c for c in commands if not c.startswith(("cd ", "echo 'Execution directory", "exit 1", "}"))]
    when = Filter("at", path, f"minute {minute} since 1970")
    return bound(when, Consumer(JOB, path, "; ".join(told[:_ENTRIES]) or "-"), "at time")


def udev_parts(path: str, text: str | None) -> tuple[Part, ...]:
    """The rules of a file that run something."""
    if text is None:
        return bound(Filter("udev", path), Consumer(RUN, path), "udev rule")
    parts: list[Part] = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.lstrip().startswith("#"):
            continue
        found = _RULE.findall(line)
        query = ", ".join(f'{key}{sign}"{value}"' for key, sign, value in found if sign in ("==", "!="))
        for key, sign, value in found:
            runs = key in _RUNS or (key.startswith("RUN{") and "builtin" not in key)
            if runs and sign not in ("==", "!=") and len(parts) < 3 * _ENTRIES:
                parts += bound(Filter("udev", path, query or "-"), Consumer(RUN, path, value), "udev rule")
    return tuple(parts)
