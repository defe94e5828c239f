"""Installing, changing and removing the service, in the order and with the messages of Sysmon.

Each act yields its messages while it works, so that what takes long was announced before. All of them can be repeated:
what is done already stays as it is.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pysmon.config.show import show_problem
from pysmon.errors import MisuseError, PysmonError
from pysmon.release import VERSION
from pysmon.service.ask import AskError, RunningService
from pysmon.service.files import put_file
from pysmon.service.paths import Paths
from pysmon.service.program import changeable_by_others, check_program, service_program
from pysmon.service.stored import forget, load, save
from pysmon.service.systemd import Systemd, SystemdError
from pysmon.service.unit import MARK, unit_text
from pysmon.service.wire import ConfigurationInUse

NAME = "pysmon"
_UNIT_MODE = 0o644  # everybody may see how the service is started
_ELSE = "`pysmon service` watches in the foreground, and under any supervisor (runit, s6, that of a container)"


class AbsentError(PysmonError):
    """There is no service that could do it: it is not installed, or it does not run."""


class InstallError(PysmonError):
    """This machine does not let the service be installed or removed."""


@dataclass(frozen=True, slots=True)
class Given:
    """A configuration that was read and found good; `name` is what was typed: a file, or a command line."""

    data: bytes
    name: str


class Installation:
    """The pysmon that is installed below a root, or the place for one."""

    def __init__(self, paths: Paths, systemd: Systemd | None = None, program: Sequence[str] = ()) -> None:
        """`program` is what starts pysmon; without one it is the pysmon that runs here."""
        self.paths = paths
        self.running = RunningService(paths.control)
        self._systemd = systemd or Systemd(paths)
        self.program = tuple(program) or service_program()

    @property
    def installed(self) -> bool:
        """Is there a service, whether or not it runs?"""
        return self.paths.unit.exists() or (self.paths.packaged_unit is not None and self.paths.wanted.is_symlink())

    def install(self, given: Given | None, when: int) -> Iterator[str]:
        """Install the service and start it, or bring an installed one up to date.

        It keeps its log and, without a new one, its configuration. `when` counts nanoseconds since 1970. Raises
        InstallError, ProgramError, SystemdError, MisuseError (the running service refuses the configuration), OSError.
        """
        if not self._systemd.present:
            if given:
                save(self.paths, given.data, given.name, when)
            raise InstallError("there is no systemd here, so nothing was installed", hint=_ELSE)
        known = self.installed
        if known:
            yield f"The service {NAME} is already registered."
        changed = yield from self._write_unit()
        # The running one is told before it makes way for another: what it stores itself is no tampering.
        if given and self._answers():
            yield from self._tell(given)
        elif given:
            save(self.paths, given.data, given.name, when)
        if changed and self._systemd.running:
            self._systemd.reload()
        self._systemd.enable()
        if not known:
            yield f"{NAME} installed."
        if self._systemd.running:
            yield from self._start(changed)
        else:
            yield f"systemd does not run here: {NAME} will start when it does. Until then {_ELSE}."

    def configuration(self) -> ConfigurationInUse:
        """What the running service judges by. AbsentError if there is none, AskError."""
        self._check_installed()
        try:
            return self.running.configuration()
        except AskError as error:
            if error.reason != "not running":
                raise
            raise AbsentError(f"{NAME} is not running", hint=f"start it: systemctl start {NAME}") from error

    def in_use(self) -> Given | None:
        """The configuration of the running service, else the one that it will start with; None for the defaults."""
        if self._answers():
            used = self.running.configuration()
            return Given(used.data, used.name) if used.data else None
        stored = load(self.paths)
        return Given(stored.data, stored.name) if stored else None

    def update(self, given: Given, when: int) -> Iterator[str]:
        """Put a configuration to use at once. AbsentError if no service runs; an installed one has it when it starts.

        Raises MisuseError if the service refuses it, and AskError.
        """
        self._check_installed()
        try:
            yield from self._tell(given)
        except AskError as error:
            if error.reason != "not running":
                raise
            save(self.paths, given.data, given.name, when)
            raise _later() from error

    def reset(self) -> Iterator[str]:
        """Go back to the defaults; as `update`."""
        self._check_installed()
        yield "Updating configuration to use all defaults."
        try:
            self.running.reset()
        except AskError as error:
            if error.reason != "not running":
                raise
            forget(self.paths)
            raise _later() from error

    def uninstall(self, *, force: bool, keep_log: bool) -> Iterator[str]:
        """Stop the service and remove all that it made; what a package brought stays.

        `force` goes on where something cannot be done, or is not there. Raises AbsentError, InstallError, SystemdError.
        """
        if not (self.installed or self.paths.state.exists() or force):
            raise AbsentError(f"{NAME} is not installed on this computer")
        yield from self._stop(force)
        try:
            if self._systemd.present and self.installed:
                self._systemd.disable()
        except SystemdError as error:
            if not force:
                raise
            yield f"Disabling the service failed: {error}"
        self.paths.wanted.unlink(missing_ok=True)
        if self.paths.packaged_unit is None:
            self.paths.unit.unlink(missing_ok=True)
            _remove(self.paths.drop_ins)
        if self._systemd.running:
            self._systemd.reload()
        yield f"{NAME} removed."
        yield "Removing service files."
        self._remove_files(keep_log)
        if keep_log:
            yield f"The event log was kept: {self.paths.store}"

    def _write_unit(self) -> Generator[str, None, bool]:
        """Write the unit; its value is whether that changed anything."""
        unit = self.paths.unit
        there = unit.read_text() if unit.is_file() else ""
        if self.paths.packaged_unit is not None:
            if there.startswith(MARK):
                unit.unlink()  # of an installation before the package; it would hide the package's
            return there.startswith(MARK)
        if there and not there.startswith(MARK):
            yield f"{unit} is of somebody else: it was left as it is"
            return False
        check_program(self.program)
        for path in changeable_by_others(self.program):
            yield f"Warning: others than root can change {path}, and thereby what root runs"
        wanted = MARK + unit_text(self.program, systemd=self._systemd.version())
        if there == wanted:
            return False
        unit.parent.mkdir(parents=True, exist_ok=True)
        put_file(unit, wanted.encode(), _UNIT_MODE)
        return True

    def _tell(self, given: Given) -> Iterator[str]:
        """Give the running service a configuration; it stores what it accepts."""
        judgement = self.running.reconfigure(given.data, given.name)
        if not judgement.sha256:
            told = "\n".join(map(show_problem, judgement.problems))
            raise MisuseError(f"the running service refuses the configuration:\n{told}")
        yield "Configuration updated."

    def _start(self, changed: bool) -> Iterator[str]:
        """Start the service, or another one in place of one that is not of this release."""
        active = self._systemd.active()
        if active and not changed and self._is_of_this_release():
            return
        if not active:
            self._check_nobody_else_runs_it()
        yield f"Starting {NAME}."
        if active:
            self._systemd.restart()
        else:
            self._systemd.start()
        yield f"{NAME} started."

    def _is_of_this_release(self) -> bool:
        try:
            return self.running.status().version == VERSION
        except AskError:
            return False

    def _stop(self, force: bool) -> Iterator[str]:
        try:
            if self._systemd.running and (self.installed or self._systemd.active()):
                yield f"Stopping {NAME}."
                self._systemd.stop()
                yield f"{NAME} stopped."
            self._check_nobody_else_runs_it()
        except PysmonError as error:
            if not force:
                raise
            yield f"Stopping the service failed: {error}"

    def _check_nobody_else_runs_it(self) -> None:
        with suppress(AskError):
            pid = self.running.status().pid
            raise InstallError(f"{NAME} runs as process {pid} already, not by systemd", hint="end it where it began")

    def _answers(self) -> bool:
        try:
            self.running.status()
        except AskError as error:
            return error.reason != "not running"
        return True

    def _check_installed(self) -> None:
        if not (self.installed or self._answers()):
            raise AbsentError(f"{NAME} is not installed on this computer", hint=f"install it: {NAME} -accepteula -i")

    def _remove_files(self, keep_log: bool) -> None:
        paths = self.paths
        log = paths.store.name
        if not keep_log:
            _remove(paths.state)
            _remove(paths.logs)
        elif paths.state.is_dir():
            for path in paths.state.iterdir():
                ours = path == paths.archive or path.name == log or path.name.startswith((f"{log}-", f"{log}."))
                if not ours:
                    _remove(path)
        _remove(paths.runtime)
        if paths.packaged_unit is None:
            _remove(paths.settings)
            with suppress(OSError):  # not there, or it holds what is not ours
                paths.settings.parent.rmdir()


def _later() -> AbsentError:
    return AbsentError(f"{NAME} is not running", hint="what was asked for is stored and holds when it starts")


def _remove(path: Path) -> None:
    """Remove a file or a whole folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
