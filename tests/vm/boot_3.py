"""After the second reboot: the service that was installed without a package, and how it goes."""

from __future__ import annotations

from pathlib import Path

from tests.vm.boot_2 import PLACES
from tests.vm.guest import sh, unit

_SETTINGS = Path("/etc/pysmon")


def the_unit_of_its_own_started_with_the_machine() -> None:
    """As that of the package does."""
    assert (unit("ActiveState"), unit("FragmentPath")) == ("active", "/etc/systemd/system/pysmon.service")


def removed_by_its_switch_nothing_is_left() -> None:
    """Neither unit nor settings."""
    sh("python3", "-I", "-m", "pysmon", "-u")
    assert not [place for place in (*PLACES, _SETTINGS) if Path(place).exists()]
    assert unit("LoadState") == "not-found"


STEPS = (the_unit_of_its_own_started_with_the_machine, removed_by_its_switch_nothing_is_left)
