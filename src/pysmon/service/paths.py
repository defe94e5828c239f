"""Where the resident service keeps what it has: one root, and everything at its place below it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

UNIT = "pysmon.service"


@dataclass(frozen=True, slots=True)
class Paths:
    """The places of an installed pysmon, all below `root`: `/` for the one of the system, a folder for a test's."""

    root: Path

    @classmethod
    def system(cls) -> Self:
        """Those of the service of this machine."""
        return cls(Path("/"))

    @classmethod
    def under(cls, root: Path) -> Self:
        """The same places below another folder, which is made absolute."""
        return cls(root.absolute())

    @property
    def settings(self) -> Path:
        """The settings that an administrator writes; it may be missing."""
        return self.root / "etc/pysmon/pysmon.toml"

    @property
    def state(self) -> Path:
        """The folder of what outlives a restart, for root alone (0700)."""
        return self.root / "var/lib/pysmon"

    @property
    def configuration(self) -> Path:
        """The configuration in use, byte for byte as it was given."""
        return self.state / "config.xml"

    @property
    def about(self) -> Path:
        """What is known of the configuration: its name as typed, its sha256, when it was stored."""
        return self.state / "config.json"

    @property
    def store(self) -> Path:
        """The event log."""
        return self.state / "log"

    @property
    def numbers(self) -> Path:
        """How far the entries are numbered; it stays with the event log."""
        return self.store.with_name(f"{self.store.name}.numbers")

    @property
    def types(self) -> Path:
        """Those of the kernel's types that the sensor's programs name."""
        return self.state / "kernel.btf"

    @property
    def spill(self) -> Path:
        """The folder in which entries wait for outputs that are slow or away."""
        return self.state / "spill"

    @property
    def archive(self) -> Path:
        """The folder of copies of files that were removed."""
        return self.state / "archive"

    @property
    def logs(self) -> Path:
        """The folder for files that outputs write, if they are told to; nothing else of the disk is theirs."""
        return self.root / "var/log/pysmon"

    @property
    def runtime(self) -> Path:
        """The folder of the sockets, which goes with the service."""
        return self.root / "run/pysmon"

    @property
    def control(self) -> Path:
        """The control socket."""
        return self.runtime / "control.sock"

    @property
    def events(self) -> Path:
        """The socket for followers of the events."""
        return self.runtime / "events.sock"

    @property
    def unit(self) -> Path:
        """The unit that `-i` writes."""
        return self.root / "etc/systemd/system" / UNIT

    @property
    def drop_ins(self) -> Path:
        """The folder of what the administrator changed of the unit."""
        return self.unit.with_name(f"{UNIT}.d")

    @property
    def wanted(self) -> Path:
        """The link that starts the service with the machine."""
        return self.unit.with_name("multi-user.target.wants") / UNIT

    @property
    def packaged_unit(self) -> Path | None:
        """The unit that a package of the distribution brought, if one did."""
        folders = ("usr/lib/systemd/system", "lib/systemd/system")
        return next((p for folder in folders if (p := self.root / folder / UNIT).exists()), None)
