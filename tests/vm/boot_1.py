"""Before the first reboot: install, change, show; and what the service tells of those who harm it."""

from __future__ import annotations

import re
import signal
from os import chown, kill
from pathlib import Path

from tests.vm.guest import BROUGHT, Done, events, note, sh, status, unit, until

WORST = 3.0  # what `systemd-analyze security` may say at most
RULES = Path("/root/rules.xml")
_RULES = """<Sysmon schemaversion="4.90"><HashAlgorithms>SHA256</HashAlgorithms><EventFiltering>
<ProcessCreate onmatch="exclude"/><ProcessTerminate onmatch="include"/><NetworkConnect onmatch="include">
<DestinationPort condition="is">7777</DestinationPort></NetworkConnect>
<FileCreate onmatch="include"><TargetFilename condition="begin with">/root/seen</TargetFilename></FileCreate>
</EventFiltering></Sysmon>
"""
_FILES = """<Sysmon schemaversion="4.90"><HashAlgorithms>SHA256</HashAlgorithms><EventFiltering>
<FileBlockExecutable onmatch="include"><TargetFilename condition="begin with">/home/</TargetFilename>
</FileBlockExecutable>
<FileDelete onmatch="include"><TargetFilename condition="begin with">/var/log/</TargetFilename></FileDelete>
<WmiEvent onmatch="exclude"/><ProcessCreate onmatch="include"/><ProcessTerminate onmatch="include"/>
</EventFiltering></Sysmon>
"""
_OTHER = _RULES.replace("/root/seen", "/root/other")
_JOURNALD = '[[output]]\ntype = "store"\n[[output]]\ntype = "syslog"\n[[output]]\ntype = "journald"\n'


def packages() -> list[Path]:
    """What the host brought, the oldest first."""
    return sorted(BROUGHT.glob("*.deb"))


def pysmon(*arguments: str, code: int | None = 0) -> Done:
    """Run it, as a user would."""
    return sh("pysmon", *arguments, code=code)


def told(what: str, patience: float = 60) -> str:
    """The description of an event 255 that matches; waits for it."""

    def found() -> str:
        descriptions = [str(entry["Description"]) for entry in events("--id", "255")]
        return next((text for text in descriptions if re.search(what, text)), "")

    return str(until(f"an event 255 with {what!r}", found, patience))


def the_package_installs_and_starts_nothing() -> None:
    """A monitor starts when somebody has accepted its licence."""
    sh("apt-get", "install", "-y", str(packages()[0]))
    assert unit("ActiveState") == "inactive"
    assert unit("UnitFileState") == "disabled"
    assert pysmon("-c", code=87).err.count("is not installed") == 1


def a_log_of_the_package_is_as_dpkg_knows_it() -> None:
    """No file was changed by the scripts."""
    assert sh("dpkg", "--verify", "pysmon").both == ""


def it_is_installed_and_started_as_sysmon_is() -> None:
    """By its own switches, with a configuration."""
    RULES.write_text(_RULES)
    done = pysmon("-accepteula", "-i", str(RULES))
    assert "pysmon installed." in done.both, done.both
    assert "pysmon started." in done.both, done.both
    assert (unit("ActiveState"), unit("UnitFileState"), unit("Type")) == ("active", "enabled", "notify")


def installing_again_changes_nothing() -> None:
    """Not even the process."""
    before = unit("MainPID")
    assert "already registered" in pysmon("-accepteula", "-i").both
    assert unit("MainPID") == before


def its_exposure_is_as_low_as_was_promised() -> None:
    """As systemd rates the unit that is in force."""
    told = sh("systemd-analyze", "security", "--no-pager", "pysmon.service").out
    rated = re.search(r"Overall exposure level for pysmon.service: ([\d.]+)", told)
    assert rated, told[-300:]
    note(f"exposure {rated[1]}")
    assert float(rated[1]) <= WORST


def only_the_rights_that_it_needs_are_left() -> None:
    """Of the capabilities of root."""
    lines = Path(f"/proc/{unit('MainPID')}/status").read_text().splitlines()
    left = {line.partition(":")[0]: int(line.split()[1], 16) for line in lines if line.startswith("Cap")}
    note(f"capabilities {left['CapEff']:#x}, bounding set {left['CapBnd']:#x}")
    assert left["CapEff"].bit_count() <= 3, left
    assert not left["CapEff"] & (1 << 21 | 1 << 39), left  # CAP_SYS_ADMIN, CAP_BPF


def it_is_healthy_and_every_hook_works() -> None:
    """By what the kernel offers best: fentry and fexit."""
    until("a canary", lambda: status()["canary"])
    now = status()
    for hook in now["hooks"]:
        note(f"hook {hook['ability']}: {hook['state']} by {hook['hook'] or '-'}")
    assert not [hook for hook in now["hooks"] if hook["state"] == "blind"]
    assert {"fentry", "fexit", "tp_btf", "iter"} <= {hook["hook"] for hook in now["hooks"]}
    done = pysmon("status")
    assert "healthy" in done.out, done.both


def the_doctor_finds_nothing() -> None:
    """On Debian's kernel, as it comes."""
    assert "all is well" in pysmon("doctor").out


def what_happens_is_in_the_log_and_in_syslog() -> None:
    """In the event log at once; in the file that rsyslog writes."""
    sh("/bin/echo", "a needle")
    found = until("the echo", lambda: events("--id", "1", "--text", "a needle", "--where", "Image end with /echo"))
    assert found[0]["ParentImage"].startswith("/usr/bin/python3"), found[0]

    def written() -> list[str]:
        lines = Path("/var/log/syslog").read_text(errors="replace").splitlines()
        return [line for line in lines if "a needle" in line and "<EventID>1<" in line]

    line = until("the echo in /var/log/syslog", written)[0]
    assert re.search(r" sysmon(\[\d+\])?: <Event>", line), line


def the_journal_has_it_by_field() -> None:
    """Once that output is asked for."""
    Path("/etc/pysmon/pysmon.toml").write_text(_JOURNALD)
    sh("systemctl", "restart", "pysmon")
    sh("/bin/echo", "another needle")

    def found() -> str:
        query = ("SYSLOG_IDENTIFIER=sysmon", "SYSMON_IMAGE=/usr/bin/echo")
        entry = sh("journalctl", "--no-pager", "-o", "verbose", *query, code=None).out
        return entry if "another needle" in entry else ""

    until("the echo in the journal", found)


def a_signal_reloads_it_and_nothing_is_lost() -> None:
    """`systemctl reload`, as a unit's user does it."""
    before = unit("MainPID")
    sh("systemctl", "reload", "pysmon")
    sh("/bin/echo", "after the reload")
    until("the echo", lambda: events("--id", "1", "--text", "after the reload"))
    assert unit("MainPID") == before


def another_configuration_holds_at_once() -> None:
    """And event 16 says which."""
    RULES.write_text(_OTHER)
    assert "Configuration updated." in pysmon("-c", str(RULES)).both
    Path("/root/other-file").touch()
    Path("/root/seen-no-more").touch()
    until("the file", lambda: events("--id", "11", "--text", "/root/other-file"))
    assert not events("--id", "11", "--text", "/root/seen-no-more")
    last = events("--id", "16")[-1]
    assert last["Configuration"] == str(RULES), last
    hashed = sh("sha256sum", str(RULES)).out.split()[0].upper()
    assert last["ConfigurationFileHash"].upper() == f"SHA256={hashed}", last


def the_configuration_in_use_is_shown() -> None:
    """In Sysmon's layout."""
    shown = pysmon("-c").out
    assert str(RULES) in shown, shown
    assert "/root/other" in shown, shown


def a_bad_configuration_is_refused_and_changes_nothing() -> None:
    """Neither what holds nor what is stored."""
    bad = Path("/root/bad.xml")
    bad.write_text(_RULES.replace("begin with", "begins"))
    assert "did you mean 'begin with'" in pysmon("-c", str(bad), code=1).both
    assert str(RULES) in pysmon("-c").out


def the_defaults_come_back() -> None:
    """`-c --`, and then ours again."""
    pysmon("-c", "--")
    shown = pysmon("-c").out
    assert "/root/other" not in shown, shown
    assert not Path("/var/lib/pysmon/config.xml").exists()
    pysmon("-c", str(RULES))


def what_files_hold_is_blocked_and_kept() -> None:
    """Also where the service itself could not write, and where only another user may."""
    rules, home = RULES.with_name("files.xml"), Path("/home/joe")
    rules.write_text(_FILES)
    pysmon("-c", str(rules))
    home.mkdir(mode=0o700)
    chown(home, 1000, 1000)
    sh("sh", "-c", "cp /bin/true /home/joe/bad; exec /home/joe/bad", code=126)
    blocked = until("event 27", lambda: events("--id", "27"))
    assert blocked[-1]["TargetFilename"] == "/home/joe/bad", blocked
    until("its removal", lambda: not (home / "bad").exists())
    sh("sh", "-c", "echo 'a secret' > /var/log/gone.log; rm /var/log/gone.log")
    removed = until("event 23", lambda: events("--id", "23", "--text", "gone.log"))
    assert removed[-1]["Archived"] == "true", removed
    assert "a secret\n" in [path.read_text() for path in Path("/var/lib/pysmon/archive").glob("*.log")]
    sh("sh", "-c", "printf '[Timer]\\nOnCalendar=daily\\n' > /etc/systemd/system/evil.timer")
    timer = until("event 19", lambda: events("--id", "19", "--text", "evil.timer"))
    assert "OnCalendar=daily" in str(timer[-1]), timer
    Path("/etc/systemd/system/evil.timer").unlink()
    pysmon("-c", str(RULES))


def who_is_not_root_is_turned_away() -> None:
    """From the log, from the sockets."""
    for path in ("/var/lib/pysmon", "/run/pysmon"):
        sh("setpriv", "--reuid=65534", "--clear-groups", "ls", path, code=2)
    asked = sh("setpriv", "--reuid=65534", "--clear-groups", "pysmon", "status", code=None)
    assert asked.code == 3, asked.both


def tampering_with_its_files_is_told() -> None:
    """The stored configuration, the unit, modes."""
    stored = Path("/var/lib/pysmon/config.xml")
    was = stored.read_bytes()
    stored.write_bytes(was + b"<!-- -->")
    note(told(r"config\.xml: content changed"))
    stored.write_bytes(was)
    Path("/run/pysmon/control.sock").chmod(0o666)
    note(told(r"control\.sock: mode changed from 0600 to 0666"))
    Path("/run/pysmon/control.sock").chmod(0o600)
    dropped = Path("/etc/systemd/system/pysmon.service.d/override.conf")
    dropped.parent.mkdir()
    dropped.write_text("[Service]\nNice=1\n")
    note(told(r"override\.conf: appeared"))
    dropped.unlink()
    dropped.parent.rmdir()


def killed_it_comes_back_and_names_who_did_it() -> None:
    """The kernel's last words outlive the process."""
    before = unit("MainPID")
    sh("/bin/sh", "-c", f"kill -9 {before}; true # the culprit")
    until("another process", lambda: unit("MainPID") not in ("0", before) and unit("ActiveState") == "active")
    text = told(r"SIGKILL")
    note(text)
    assert "/usr/bin/dash" in text, text
    assert unit("Result") == "success"
    assert "/root/other" in pysmon("-c").out


def stopped_by_a_signal_it_is_restarted_by_the_watchdog() -> None:
    """A process that does not move is as bad as none."""
    before = int(unit("MainPID"))
    kill(before, signal.SIGSTOP)
    until("another process", lambda: unit("MainPID") not in ("0", str(before)), 180)
    until("an active service", lambda: unit("ActiveState") == "active")
    note(told(r"SIGSTOP"))
    journal = sh("journalctl", "--no-pager", "-u", "pysmon", "-n", "400").out
    assert re.search(r"[Ww]atchdog timeout", journal), journal[-1000:]


def an_upgrade_keeps_configuration_and_log() -> None:
    """And the running service is the new one's, by the same settings."""
    before, settings = unit("MainPID"), Path("/etc/pysmon/pysmon.toml").read_bytes()
    counted = len(events())
    sh("apt-get", "install", "-y", "-o", "Dpkg::Options::=--force-confold", str(packages()[1]))
    until("an active service", lambda: unit("ActiveState") == "active")
    assert unit("MainPID") != before
    assert Path("/etc/pysmon/pysmon.toml").read_bytes() == settings
    assert len(events()) > counted
    assert "/root/other" in pysmon("-c").out
    dpkg = events("--id", "1", "--where", "Image end with /dpkg")
    note(f"{len(dpkg)} events of dpkg")
    sh("/bin/echo", "after the upgrade")
    until("the echo", lambda: events("--id", "1", "--text", "after the upgrade"))


STEPS = (
    the_package_installs_and_starts_nothing,
    a_log_of_the_package_is_as_dpkg_knows_it,
    it_is_installed_and_started_as_sysmon_is,
    installing_again_changes_nothing,
    its_exposure_is_as_low_as_was_promised,
    only_the_rights_that_it_needs_are_left,
    it_is_healthy_and_every_hook_works,
    the_doctor_finds_nothing,
    what_happens_is_in_the_log_and_in_syslog,
    the_journal_has_it_by_field,
    a_signal_reloads_it_and_nothing_is_lost,
    another_configuration_holds_at_once,
    the_configuration_in_use_is_shown,
    a_bad_configuration_is_refused_and_changes_nothing,
    the_defaults_come_back,
    what_files_hold_is_blocked_and_kept,
    who_is_not_root_is_turned_away,
    tampering_with_its_files_is_told,
    killed_it_comes_back_and_names_who_did_it,
    stopped_by_a_signal_it_is_restarted_by_the_watchdog,
    an_upgrade_keeps_configuration_and_log,
)
