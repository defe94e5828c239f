"""After the first reboot: from when on it watches; then removed by its own switch, and by the package manager."""

from __future__ import annotations

from pathlib import Path

from tests.vm.boot_1 import RULES, packages, pysmon
from tests.vm.guest import events, note, sh, status, unit

PLACES = ("/var/lib/pysmon", "/run/pysmon", "/var/log/pysmon", "/etc/systemd/system/pysmon.service")
WANTED = Path("/etc/systemd/system/multi-user.target.wants/pysmon.service")
_BOOT = int(Path("/proc/stat").read_text().partition("btime ")[2].split()[0])  # s since 1970


def it_started_with_the_machine_before_the_rest() -> None:
    """Before basic.target, that is before any service."""
    assert unit("ActiveState") == "active"
    ready, basic = (int(unit("ActiveEnterTimestampMonotonic", name)) for name in ("pysmon.service", "basic.target"))
    note(f"ready {ready / 1e6:.1f} s after the kernel's start, basic.target after {basic / 1e6:.1f} s")
    assert ready <= basic


def what_ran_early_in_the_boot_is_in_the_log() -> None:
    """The programs of services that started after it; that it started; and by which configuration."""
    here = [entry for entry in events("--since", "1h") if entry["SystemTime"] >= _started()]
    programs = {entry["Image"].rpartition("/")[2] for entry in here if entry["EventID"] == 1}
    note(f"{len(here)} events, programs: {' '.join(sorted(programs))}")
    assert {"rsyslogd", "agetty"} <= programs
    kinds = [entry["EventID"] for entry in here[:3]]
    assert {4, 16} <= set(kinds), kinds


def the_log_of_before_is_there() -> None:
    """A reboot is a stop in good order: nothing is said to be missing."""
    assert events("--where", "Image end with /echo", "--text", "after the upgrade")
    stopped = [entry for entry in events("--id", "4") if entry["State"] == "Stopped"]
    assert stopped, "no event 4 says that it was stopped"
    gaps = [e for e in events("--id", "255") if "not closed in good order" in e["Description"]]
    assert not [gap for gap in gaps if gap["SystemTime"] >= _started()], gaps


def it_is_healthy_after_the_boot() -> None:
    """Nothing was lost in it."""
    now = status()
    assert not any(family["lost"] for family in now["families"]), now["families"]
    assert now["configuration"]["name"] == str(RULES), now["configuration"]
    assert not [hook for hook in now["hooks"] if hook["state"] == "blind"]


def removed_by_its_switch_it_leaves_nothing() -> None:
    """What the package brought is the package's."""
    done = pysmon("-u")
    assert "pysmon removed." in done.both, done.both
    assert not [place for place in PLACES if Path(place).exists()]
    assert not WANTED.is_symlink()
    assert unit("ActiveState") == "inactive"
    assert pysmon("-u", code=87).both
    assert sh("dpkg", "--verify", "pysmon", code=None).out.split()[-1:] in ([], ["/etc/pysmon/pysmon.toml"])


def it_is_installed_anew() -> None:
    """With nothing of before."""
    pysmon("-accepteula", "-i", str(RULES))
    assert unit("ActiveState") == "active"
    assert not events("--where", "Image end with /echo")


def removing_the_package_stops_it_and_keeps_what_it_wrote() -> None:
    """Until it is purged."""
    sh("apt-get", "remove", "-y", "pysmon")
    assert not Path("/usr/bin/pysmon").exists()
    assert not Path("/usr/lib/pysmon").exists()
    assert Path("/var/lib/pysmon/log").exists()
    assert not sh("pgrep", "-f", "/usr/bin/pysmon service", code=None).out


def installed_again_it_goes_on_where_it_was() -> None:
    """A service that was enabled starts with the package."""
    sh("apt-get", "install", "-y", str(packages()[1]))
    assert (unit("ActiveState"), unit("UnitFileState")) == ("active", "enabled")
    assert status()["configuration"]["name"] == str(RULES)


def purged_it_leaves_nothing_at_all() -> None:
    """Not in any folder of the system."""
    sh("apt-get", "purge", "-y", "pysmon")
    left = sh(
        "find", "/etc", "/usr", "/var/lib", "/var/log", "/run", "-name", "*pysmon*", "-not", "-path", "*/apt/*"
    ).out
    assert not left, left
    assert unit("LoadState") == "not-found"


def it_runs_without_a_package_too() -> None:
    """From its folder, by a unit that it writes itself; the next boot shows whether that starts."""
    sh("dpkg-deb", "-x", str(packages()[0]), "/opt/tree")
    sh("mv", "/opt/tree/usr/lib/pysmon", "/opt/pysmon")
    sh("rm", "-r", "/opt/tree")
    own = Path("/usr/lib/python3/dist-packages/own.pth")
    own.write_text("/opt/pysmon\n")
    done = sh("python3", "-I", "-m", "pysmon", "-accepteula", "-i", str(RULES))
    assert "pysmon started." in done.both, done.both
    assert Path("/etc/systemd/system/pysmon.service").exists()


STEPS = (
    it_started_with_the_machine_before_the_rest,
    what_ran_early_in_the_boot_is_in_the_log,
    the_log_of_before_is_there,
    it_is_healthy_after_the_boot,
    removed_by_its_switch_it_leaves_nothing,
    it_is_installed_anew,
    removing_the_package_stops_it_and_keeps_what_it_wrote,
    installed_again_it_goes_on_where_it_was,
    purged_it_leaves_nothing_at_all,
    it_runs_without_a_package_too,
)


def _started() -> str:
    """When the machine did, as entries tell times."""
    return sh("date", "-u", "-d", f"@{_BOOT}", "+%Y-%m-%dT%H:%M:%S").out.strip()
