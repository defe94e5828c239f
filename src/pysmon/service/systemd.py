"""Talking to systemd, by its own command."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from pysmon.errors import PysmonError
from pysmon.service.outside import Said, call
from pysmon.service.paths import UNIT, Paths

_PATIENCE = 180  # s: a start waits until the service is ready, a stop until its outputs are written
_SOON = 10  # s: for a question
_WHY = f"systemctl status {UNIT} and journalctl -b -u {UNIT} tell why"


class SystemdError(PysmonError):
    """Systemd would not do what it was asked for."""


class Systemd:
    """The service manager of the machine, if it has systemd."""

    def __init__(self, paths: Paths, systemctl: str | None = None, *, search: str | None = None) -> None:
        """`systemctl` is the program; None is the one that is found in the folders `search` (None: those of PATH)."""
        self._program = systemctl or shutil.which("systemctl", path=search)
        self._booted = paths.root / "run/systemd/system"
        self._elsewhere = [] if paths.root == Path("/") else [f"--root={paths.root}"]

    @property
    def present(self) -> bool:
        """Is its command there? It can then enable a service, though perhaps not start it."""
        return self._program is not None

    @property
    def running(self) -> bool:
        """Does it run this machine?"""
        return self.present and self._booted.is_dir()

    def version(self) -> int:
        """Its version; 0 if it does not tell."""
        found = re.match(r"systemd (\d+)", self._run("--version").out)
        return int(found[1]) if found else 0

    def active(self) -> bool:
        """Is the service running, or about to?"""
        return self._run("is-active", "--quiet", UNIT).code == 0

    def show(self, *properties: str) -> dict[str, str]:
        """These properties of the service by name, as far as systemd tells them; SystemdError."""
        done = self._do("show", UNIT, f"--property={','.join(properties)}", patience=_SOON)
        return dict(line.split("=", 1) for line in done.out.splitlines() if "=" in line)

    def reload(self) -> None:
        """Have it read the units anew, and forget how often the service failed."""
        self._do("daemon-reload")
        self._run("reset-failed", UNIT)

    def enable(self) -> None:
        """Start the service with the machine from now on."""
        self._do(*self._elsewhere, "enable", UNIT)

    def disable(self) -> None:
        """Do not start it with the machine any more."""
        self._do(*self._elsewhere, "disable", UNIT)

    def start(self) -> None:
        """Start the service, and wait until it says that it is ready."""
        self._do("start", UNIT, hint=_WHY)

    def restart(self) -> None:
        """Stop it, if it runs, and start it."""
        self._do("restart", UNIT, hint=_WHY)

    def stop(self) -> None:
        """Stop it, and wait until it has ended."""
        self._do("stop", UNIT, hint=_WHY)

    def _do(self, *arguments: str, hint: str = "", patience: float = _PATIENCE) -> Said:
        done = self._run(*arguments, patience=patience)
        if done.code:
            told = " ".join(done.err.split()) or f"exit code {done.code}"
            raise SystemdError(f"systemctl {' '.join(arguments)}: {told}", hint=hint)
        return done

    def _run(self, *arguments: str, patience: float = _PATIENCE) -> Said:
        if self._program is None:
            raise SystemdError("there is no systemctl here")
        try:
            return call([self._program, "--no-ask-password", *arguments], patience=patience)
        except OSError as error:
            raise SystemdError(f"systemctl {' '.join(arguments)}: {error}") from error
