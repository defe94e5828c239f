"""The doctor: what he finds on systems of our own making, and on this one."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.calls import need_sensor
from tests.service.patients import RUNNING, SERVED, Person, healthy
from tests.service.sample import ILL

from pysmon.errors import SensorError
from pysmon.sensor.loader import Service
from pysmon.service import checks_kernel, checks_sensor, checks_service
from pysmon.service.ask import AskError
from pysmon.service.doctor import CHECKS, Check, conclusion, examine, rows, table
from pysmon.service.finding import Finding, told, worst
from pysmon.service.patient import Patient, ThisMachine
from pysmon.service.stored import save
from pysmon.service.systemd import SystemdError

CONFIG = b'<Sysmon schemaversion="4.90"><EventFiltering/></Sysmon>'
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def patient(tmp_path: Path) -> Person:
    return healthy(tmp_path / "root")


def one(patient: Person, check: Check) -> Finding:
    (finding,) = examine(patient, [check])
    return finding


def found(patient: Person, check: Check) -> tuple[str, str]:
    finding = one(patient, check)
    return finding.level, finding.text


def listening(path: Path, kind: socket.SocketKind = socket.SOCK_DGRAM) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = socket.socket(socket.AF_UNIX, kind)
    made.bind(str(path))
    if kind == socket.SOCK_STREAM:
        made.listen()
    return made


def test_on_a_healthy_system_all_is_well(patient: Person) -> None:
    findings = list(examine(patient))
    assert [finding for finding in findings if finding.level != "ok"] == []
    assert {"kernel", "BTF", "rights", "libbpf", "lockdown", "tracefs", "memory", "hooks", "disk"} <= {
        finding.about for finding in findings
    }
    assert patient.loaded == 1


def test_the_doctor_changes_nothing(patient: Person) -> None:
    def state() -> dict[str, tuple[int, int]]:
        files = patient.paths.root.rglob("*")
        return {str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns) for path in files}

    before = state()
    list(examine(patient))
    assert state() == before


def test_whatever_is_not_well_comes_with_a_remedy(tmp_path: Path) -> None:
    bare = Person(healthy(tmp_path / "x").paths, library=SensorError("none", hint="install it"))
    for path in sorted(bare.paths.root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    findings = list(examine(bare))
    assert worst(findings) == "bad"
    assert [finding.about for finding in findings if finding.level == "bad"] == ["BTF", "rights", "libbpf"]
    assert [finding for finding in findings if finding.level != "ok" and not finding.remedy] == []


@pytest.mark.parametrize(
    ("release", "level"),
    [
        ("5.13.0", "ok"),
        ("6.18.44-fc", "ok"),
        ("5.12.19-300.fc34.x86_64", "bad"),
        ("4.19.0", "bad"),
        ("", "warn"),
        ("x", "warn"),
    ],
)
def test_the_kernel_must_not_be_older_than_the_sensor_needs(patient: Person, release: str, level: str) -> None:
    patient.put("proc/sys/kernel/osrelease", f"{release}\n")
    assert one(patient, checks_kernel.kernel).level == level


def test_a_kernel_without_types_is_no_good(patient: Person) -> None:
    (patient.paths.root / "sys/kernel/btf/vmlinux").unlink()
    finding = one(patient, checks_kernel.type_information)
    assert finding.level == "bad"
    assert "CONFIG_DEBUG_INFO_BTF" in finding.remedy


@pytest.mark.parametrize(
    ("held", "level", "named"),
    [
        (1 << 21 | 1 << 2 | 1 << 19, "ok", ""),
        (1 << 38 | 1 << 39 | 1 << 2 | 1 << 19, "ok", ""),
        (1 << 38 | 1 << 39 | 1 << 2, "warn", "without CAP_SYS_PTRACE "),
        (1 << 38 | 1 << 39, "warn", "without CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE "),
        (1 << 38, "bad", "CAP_BPF missing"),
        (0, "bad", "CAP_BPF and CAP_PERFMON missing"),
    ],
)
def test_the_rights_that_are_missing_are_named(patient: Person, held: int, level: str, named: str) -> None:
    patient.put("proc/self/status", f"Name:\tx\nCapEff:\t{held:016x}\n")
    finding = one(patient, checks_kernel.rights)
    assert finding.level == level
    assert named in finding.text


@pytest.mark.parametrize(
    "error", [SensorError("libbpf is not installed", hint="apt install libbpf1"), AttributeError("x")]
)
def test_a_libbpf_that_is_missing_or_too_old_is_told(patient: Person, error: Exception) -> None:
    patient.library = error
    finding = one(patient, checks_kernel.libbpf)
    assert (finding.level, finding.text) == ("bad", str(error))
    assert "apt install libbpf1" in finding.remedy


@pytest.mark.parametrize(
    ("mode", "level"),
    [
        ("[none] integrity confidentiality", "ok"),
        ("none [integrity] confidentiality", "ok"),
        ("none integrity [confidentiality]", "bad"),
        ("", "ok"),
    ],
)
def test_only_the_strictest_lockdown_is_in_the_way(patient: Person, mode: str, level: str) -> None:
    patient.put("sys/kernel/security/lockdown", mode)
    assert one(patient, checks_kernel.lockdown).level == level


@pytest.mark.parametrize(
    ("check", "path", "levels"),
    [
        (checks_kernel.unprivileged_bpf, "kernel/unprivileged_bpf_disabled", {"0": "warn", "1": "ok", "2": "ok"}),
        (checks_kernel.jit, "net/core/bpf_jit_enable", {"0": "warn", "1": "ok", "2": "warn", "": "ok"}),
    ],
)
def test_switches_of_the_kernel_are_judged(patient: Person, check: Check, path: str, levels: dict[str, str]) -> None:
    for value, level in levels.items():
        patient.put(f"proc/sys/{path}", value)
        finding = one(patient, check)
        assert finding.level == level
        assert level == "ok" or f"sysctl {path.replace('/', '.')}=" in finding.remedy


def test_statistics_that_cost_are_told_and_others_are_not_spoken_of(patient: Person) -> None:
    assert list(examine(patient, [checks_kernel.statistics])) == []
    patient.put("proc/sys/kernel/bpf_stats_enabled", "1")
    assert one(patient, checks_kernel.statistics).level == "warn"


def test_without_tracefs_the_sensor_is_not_tried_since_that_would_mount_it(patient: Person) -> None:
    (patient.paths.root / "sys/kernel/tracing/events").rename(patient.paths.root / "gone")
    assert one(patient, checks_kernel.tracefs).level == "warn"
    assert found(patient, checks_sensor.hooks) == ("warn", "not tried, since tracefs is not mounted")
    assert patient.loaded == 0


def test_without_the_rights_the_sensor_is_not_tried(patient: Person) -> None:
    patient.put("proc/self/status", "CapEff:\t0\n")
    assert found(patient, checks_sensor.hooks) == ("warn", "not tried, without the rights")
    assert patient.loaded == 0


@pytest.mark.parametrize("place", ["sys/fs/cgroup", "sys/fs/cgroup/unified"])
def test_cgroups_are_found_where_they_are(patient: Person, place: str) -> None:
    (patient.paths.root / "sys/fs/cgroup/cgroup.procs").unlink()
    assert one(patient, checks_kernel.cgroups).level == "warn"
    patient.put(f"{place}/cgroup.procs")
    assert found(patient, checks_kernel.cgroups) == ("ok", f"/{place}")


def test_hooks_are_told_by_their_kind_and_what_is_blind_alone(patient: Person) -> None:
    names = {service.ability.name: service for service in SERVED}
    accepted, deleted = names["TCP accepted"].ability, names["files deleted"].ability
    patient.services = (
        names["processes"],
        names["TCP connected"],
        names["running processes"],
        Service(accepted, accepted.providers[1], ("fexit: no",)),
        Service(deleted, deleted.providers[1], ("fexit: no",)),
        replace(names["UDP sent"], provider=None, refusals=("tp_btf: never",)),
    )
    assert [(f.level, f.text) for f in examine(patient, [checks_sensor.hooks])] == [
        ("ok", "tp_btf for processes, TCP connected"),
        ("ok", "iter for running processes"),
        (
            "warn",
            "tracepoint, which 32-bit programs and io_uring go round, for TCP accepted, files deleted. "
            "Better ones do not work here: fexit: no",
        ),
        ("bad", "nothing for UDP sent: tp_btf: never"),
    ]


def test_a_hook_inside_the_kernel_is_as_good_as_another_and_what_few_kernels_have_is_no_fault(patient: Person) -> None:
    served = SERVED[0]
    lacking = replace(served, ability=replace(served.ability, everywhere=False), provider=None, refusals=("fexit: no",))
    patient.services = (replace(served, refusals=("fentry: no such function",)), lacking)
    assert [(f.level, f.text) for f in examine(patient, [checks_sensor.hooks])] == [
        ("ok", "tp_btf for processes"),
        ("warn", "nothing for processes: fexit: no"),
    ]


def test_a_sensor_that_cannot_be_loaded_says_why(patient: Person) -> None:
    patient.services = SensorError("the kernel refuses the sensor", hint="see dmesg")
    finding = one(patient, checks_sensor.hooks)
    assert (finding.level, finding.text, finding.remedy) == ("bad", "the kernel refuses the sensor", "see dmesg")


@pytest.mark.parametrize(("free", "level"), [("2097152", "ok"), ("131072", "ok"), ("131071", "warn"), ("x", "warn")])
def test_memory_must_do_for_the_rings(patient: Person, free: str, level: str) -> None:
    patient.put("proc/meminfo", f"MemTotal: 1 kB\nMemAvailable:   {free} kB\n")
    assert one(patient, checks_sensor.memory).level == level


def test_without_systemd_nothing_is_missed(patient: Person) -> None:
    assert one(patient, checks_service.unit).level == "ok"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, [("ok", "the service runs")]),
        (
            {"LoadState": "not-found"},
            [("ok", "pysmon is not installed as a service: pysmon -accepteula -i would do it")],
        ),
        ({"ActiveState": "failed"}, [("bad", "the service failed")]),
        ({"ActiveState": "inactive"}, [("warn", "the service is inactive")]),
        (
            {"UnitFileState": "disabled"},
            [("ok", "the service runs"), ("warn", "the service does not start at boot (disabled)")],
        ),
        ({"LoadState": "masked"}, [("ok", "the service runs"), ("bad", "systemd says: masked")]),
        (
            {"NeedDaemonReload": "yes"},
            [("ok", "the service runs"), ("warn", "its unit was changed since systemd read it")],
        ),
        ({"NRestarts": "3"}, [("ok", "the service runs"), ("warn", "systemd had to restart it 3 times")]),
        (
            {"DropInPaths": "/etc/systemd/system/pysmon.service.d/a.conf"},
            [("ok", "the service runs"), ("ok", "with drop-ins: /etc/systemd/system/pysmon.service.d/a.conf")],
        ),
    ],
)
def test_the_unit_is_judged_by_what_systemd_knows(
    patient: Person, change: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    (patient.paths.root / "run/systemd/system").mkdir(parents=True)
    patient.known = RUNNING | change
    assert [(f.level, f.text) for f in examine(patient, [checks_service.unit])] == expected


def test_a_systemd_that_does_not_answer_is_told(patient: Person) -> None:
    (patient.paths.root / "run/systemd/system").mkdir(parents=True)
    patient.known = SystemdError("systemctl does not answer")
    assert found(patient, checks_service.unit) == ("warn", "systemctl does not answer")


@pytest.mark.parametrize("place", ["etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"])
def test_a_unit_file_that_others_can_write_is_bad(patient: Person, place: str) -> None:
    file = patient.put(f"{place}/pysmon.service")
    file.chmod(0o644)
    assert one(patient, checks_service.unit_file).level == "ok"
    file.chmod(0o664)
    finding = one(patient, checks_service.unit_file)
    assert (finding.level, finding.text) == ("bad", f"{file}: user {os.geteuid()}, mode 664")


@as_root
def test_a_unit_file_of_somebody_else_is_bad(patient: Person) -> None:
    file = patient.put("etc/systemd/system/pysmon.service")
    os.chown(file, 65534, 65534)
    assert one(patient, checks_service.unit_file).level == "bad"


def test_a_unit_file_that_is_a_link_is_bad(patient: Person) -> None:
    patient.put("elsewhere")
    patient.paths.unit.parent.mkdir(parents=True)
    patient.paths.unit.symlink_to(patient.paths.root / "elsewhere")
    assert one(patient, checks_service.unit_file).level == "bad"


def test_settings_that_cannot_be_read_are_told_with_their_place(patient: Person) -> None:
    patient.put("etc/pysmon/pysmon.toml", "[[output]]\ntype = 'syslog'\n")
    assert found(patient, checks_service.settings) == ("ok", f"{patient.paths.settings}: syslog")
    patient.put("etc/pysmon/pysmon.toml", "outputs = 1\n")
    level, text = found(patient, checks_service.settings)
    assert level == "bad"
    assert str(patient.paths.settings) in text


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ('type = "sylog"', "there is no type of output called 'sylog'"),
        ('type = "syslog"\nformat = "csv"', "the output syslog: format is 'csv'"),
        ('type = "file"', "the output file needs path"),
    ],
)
def test_outputs_that_would_stop_the_start_of_the_service_are_told(patient: Person, output: str, text: str) -> None:
    patient.put("etc/pysmon/pysmon.toml", f"[[output]]\n{output}\n")
    finding = one(patient, checks_service.settings)
    assert (finding.level, finding.text) == ("bad", text)
    assert finding.remedy


def test_the_stored_configuration_must_be_what_was_stored_and_be_usable(patient: Person) -> None:
    stored = save(patient.paths, CONFIG, "a.xml", 1)
    assert found(patient, checks_service.configuration) == ("ok", f"a.xml, SHA256={stored.sha256}")
    patient.paths.configuration.write_bytes(CONFIG + b" ")
    level, text = found(patient, checks_service.configuration)
    assert level == "bad"
    assert "not what was stored" in text
    save(patient.paths, b"<Sysmon>", "b.xml", 2)
    assert one(patient, checks_service.configuration).level == "bad"


def test_the_folder_of_the_service_is_for_root_alone(patient: Person) -> None:
    save(patient.paths, CONFIG, "a.xml", 1)
    assert one(patient, checks_service.folder).level == "ok"
    patient.paths.state.chmod(0o750)
    finding = one(patient, checks_service.folder)
    assert (finding.level, finding.remedy) == ("bad", "chown root: and chmod 0700")


def test_the_disk_is_looked_at_where_the_log_will_be(patient: Person) -> None:
    finding = one(patient, checks_service.disk)
    assert finding.text.endswith(f"free for {patient.paths.state}")


def test_who_writes_to_syslog_and_the_journal_wants_them_to_listen(patient: Person) -> None:
    def both() -> list[str]:
        return [finding.level for finding in examine(patient, [checks_service.listeners])]

    assert both() == ["ok", "ok"]
    syslog = listening(patient.paths.root / "dev/log")
    journal = listening(patient.paths.root / "run/systemd/journal/socket")
    assert both() == ["ok", "ok"]
    journal.close()
    assert both() == ["ok", "warn"]
    syslog.close()
    assert both() == ["warn", "warn"]


def test_a_syslog_that_takes_streams_is_fine(patient: Person) -> None:
    with listening(patient.paths.root / "dev/log", socket.SOCK_STREAM):
        assert next(iter(examine(patient, [checks_service.listeners]))).level == "ok"


def test_a_syslog_with_more_callers_than_it_can_take_is_there_all_the_same(patient: Person) -> None:
    path = patient.paths.root / "dev/log"
    with listening(path, socket.SOCK_STREAM) as busy, ExitStack() as callers:
        busy.listen(0)
        outcome = 0
        while outcome == 0:
            caller = callers.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            caller.setblocking(False)
            outcome = caller.connect_ex(str(path))
        assert next(iter(examine(patient, [checks_service.listeners]))).level == "ok"


def test_what_the_running_service_says_is_passed_on(patient: Person) -> None:
    assert list(examine(patient, [checks_service.answer])) == []
    patient.put("run/pysmon/control.sock")
    assert found(patient, checks_service.answer) == ("ok", "0.1.0 runs as process 471 and is healthy")
    patient.said = ILL
    level, text = found(patient, checks_service.answer)
    assert level == "warn"
    assert text == "it says that processes: the canary did it and the sensor did not tell (tp_btf), and 4 more"
    patient.said = AskError("nobody listens", reason="not running", hint="start it")
    assert found(patient, checks_service.answer) == ("warn", "nobody listens")


def test_what_cannot_be_looked_at_does_not_stop_the_doctor(patient: Person) -> None:
    def broken(_patient: Patient) -> list[Finding]:
        raise PermissionError("no")

    findings = list(examine(patient, [broken, checks_kernel.kernel]))
    assert [(f.level, f.about) for f in findings] == [("warn", "broken"), ("ok", "kernel")]


def test_findings_are_told_in_lines_with_their_remedy() -> None:
    findings = [Finding("ok", "kernel", "fine"), Finding("bad", "a\x1b", "no\n", "do \u202ethis")]
    assert ["".join(piece.text for piece in line.pieces) for line in told(findings)] == [
        "ok    kernel  fine",
        "bad   a\\x1b   no\\x0a",
        "              -> do \\u202ethis",
    ]


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ("", "all is well"),
        ("ok", "all is well"),
        ("ok warn warn", "pysmon can run here; 2 could be better"),
        ("bad warn", "1 thing is in the way"),
        ("bad bad", "2 things are in the way"),
    ],
)
def test_the_last_line_says_what_it_comes_to(levels: str, words: str) -> None:
    findings = [Finding(level, "", "") for level in ("ok", "warn", "bad") for _ in range(levels.split().count(level))]
    assert "".join(piece.text for piece in conclusion(findings).pieces) == words


def test_every_check_stands_once_in_the_table() -> None:
    assert len({check.__name__ for check in CHECKS}) == len(CHECKS)


def test_this_machine_is_examined_for_real_and_the_sensor_is_taken_away_again() -> None:
    need_sensor()

    def programs() -> int:
        return len([fd for fd in os.listdir("/proc/self/fd") if _leads_to(fd, "bpf")])

    before = programs()
    findings = list(examine(ThisMachine()))
    levels = {finding.about: finding.level for finding in findings}
    assert (levels["kernel"], levels["libbpf"]) == ("ok", "ok")
    assert any("processes" in finding.text for finding in findings if finding.about == "hooks")
    assert programs() == before


def _leads_to(fd: str, what: str) -> bool:
    try:
        return what in os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return False


def test_a_kernel_that_refuses_fanotify_is_told_of_with_the_reason(patient: Person) -> None:
    assert found(patient, checks_sensor.fanotify) == ("ok", "files can be watched, and refused")
    patient.refusal = "fanotify_init: Operation not permitted"
    finding = one(patient, checks_sensor.fanotify)
    assert finding.level == "warn"
    assert finding.text == "what files hold cannot be watched: fanotify_init: Operation not permitted"
    assert "CONFIG_FANOTIFY_ACCESS_PERMISSIONS" in finding.remedy


def lines_of(patient: Person) -> dict[str, str]:
    """The table as people see it, by what is needed."""
    text = ["".join(piece.text for piece in line.pieces) for line in rows(table(patient))]
    need, here = text[0].index("need"), text[0].index("here")
    return {line[need:here].strip(): " ".join(line.split()) for line in text}


def test_the_table_has_a_line_for_each_need_in_the_order_of_events(patient: Person) -> None:
    patient.put("var/lib/dpkg/status")
    patient.put("var/lib/dpkg/info/x.list")
    lines = lines_of(patient)
    assert lines["TCP accepted"] == "3 TCP accepted yes fexit"
    assert lines["file watch"] == "27, 28, 29 file watch yes fanotify"
    assert lines["package database"].endswith("yes dpkg or rpm")
    assert not any("files.mounts" in line for line in lines)
    first = [line.split(",")[0].split()[0] for line in list(lines.values())[1:]]
    assert first == sorted(first, key=int)


def test_the_table_tells_what_is_missing_why_and_what_helps(patient: Person) -> None:
    patient.services = tuple(
        Service(s.ability, None, ("fentry: refused",)) if s.ability.name == "modules loaded" else s for s in SERVED
    )
    patient.refusal = "fanotify_init: Operation not permitted"
    patient.put("etc/pysmon/pysmon.toml", f'files.mounts = ["{patient.paths.root}", "/absent/folder"]')
    lines = lines_of(patient)
    assert "no - fentry: refused -> another kernel" in lines["modules loaded"]
    assert "no - fanotify_init: Operation not permitted -> it needs CAP_SYS_ADMIN" in lines["file watch"]
    assert "partly" in lines["content of files"]
    assert "Signed, Signature and SignatureStatus are `-`" in lines["package database"]
    assert "there is no /absent/folder; nothing is known" in lines["file systems of `files.mounts`"]


def test_what_cannot_be_tried_is_unknown_and_a_sensor_that_does_not_load_gives_no_event(patient: Person) -> None:
    patient.services = SensorError("the kernel refuses the programs")
    assert "no - the kernel refuses the programs" in lines_of(patient)["kernel sensor"]
    patient.put("proc/self/status", "CapEff:\t0000000000000000\n")
    assert "unknown - not tried, without the rights" in lines_of(patient)["kernel sensor"]
    assert patient.loaded == 1
