"""A machine of our own making: a folder as its root, a systemctl that notes what it hears, a service that answers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.service.controls import FakeControls

from pysmon.service.control import ControlServer
from pysmon.service.install import Installation
from pysmon.service.paths import Paths
from pysmon.service.systemd import Systemd

PROGRAM = (sys.executable, "-c", "")  # starts, whatever stands behind it

_SYSTEMCTL = """\
#!/bin/sh
root={root}
shift  # --no-ask-password
[ "$1" = --root=$root ] && shift
[ "$1" = --version ] || [ "$1" = is-active ] || echo "$*" >>$root/told
if [ -e $root/fail-$1 ]; then echo "Job for pysmon.service failed." >&2; exit 1; fi
wanted=$root/etc/systemd/system/multi-user.target.wants
case $1 in
--version) cat $root/version ;;
is-active) [ -e $root/active ] ;;
start | restart) touch $root/active ;;
stop) rm -f $root/active ;;
enable) mkdir -p $wanted; ln -sf ../pysmon.service $wanted/pysmon.service ;;
disable) rm -f $wanted/pysmon.service ;;
esac
"""


class FakeMachine:
    """A root with or without a systemd."""

    def __init__(self, root: Path, *, systemd: bool = True, booted: bool = True, program: tuple[str, ...] = PROGRAM):
        root.mkdir(exist_ok=True)
        self.root = root
        self.paths = Paths.under(root)
        if booted:
            (root / "run/systemd/system").mkdir(parents=True)
        systemctl = root / "systemctl"
        (root / "version").write_text("systemd 252 (252.39-1~deb12u2)\n+PAM\n")
        if systemd:
            systemctl.write_text(_SYSTEMCTL.format(root=root))
            systemctl.chmod(0o755)
        manager = Systemd(self.paths, str(systemctl)) if systemd else Systemd(self.paths, search="")
        self.installation = Installation(self.paths, manager, program)

    @property
    def told(self) -> list[str]:
        """What systemctl was told since the last look, without the questions."""
        path = self.root / "told"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    @property
    def active(self) -> bool:
        """Has systemd started the service?"""
        return (self.root / "active").exists()

    def fails(self, verb: str) -> None:
        """From now on systemctl cannot do that."""
        (self.root / f"fail-{verb}").touch()

    def package(self) -> Path:
        """Install the unit of a package."""
        unit = self.root / "lib/systemd/system/pysmon.service"
        unit.parent.mkdir(parents=True, exist_ok=True)
        unit.write_text("[Service]\n")
        return unit

    def files(self) -> list[str]:
        """All that pysmon has made."""
        ours = {"etc/pysmon", "etc/systemd", "var", "run/pysmon"}
        found = (p.relative_to(self.root) for top in ours for p in (self.root / top).rglob("*") if not p.is_dir())
        return sorted(map(str, found))

    @contextmanager
    def service(self, controls: FakeControls | None = None) -> Iterator[FakeControls]:
        """A service that answers on the control socket."""
        controls = controls or FakeControls()
        with ControlServer(self.paths.control, controls):
            yield controls
