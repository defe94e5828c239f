"""Files about persistence become parts: a filter says when, a consumer what, a binding that it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.host.triggers.parts import Binding, Consumer, Filter, Part
from pysmon.host.triggers.places import Place
from pysmon.host.triggers.read import changes, parts_of

UNITS = "/etc/systemd/system"


def test_a_timer_says_when() -> None:
    text = "[Unit]\nOnFailure=x\n[Timer]\n# OnCalendar=never\nOnCalendar = daily\nOnBootSec=5min\nPersistent=true\n"
    assert parts_of("unit", f"{UNITS}/backup.timer", text) == (
        Filter("systemd", "backup.timer", "OnCalendar=daily; OnBootSec=5min"),
    )


def test_a_path_and_a_socket_say_what_they_wait_for() -> None:
    path = "[Path]\nPathChanged=/etc/passwd\nDirectoryNotEmpty=/in\nDirectoryMode=0700\nUnit=x.service\n"
    assert parts_of("unit", f"{UNITS}/p.path", path) == (
        Filter("systemd", "p.path", "PathChanged=/etc/passwd; DirectoryNotEmpty=/in"),
    )
    socket = "[Socket]\nListenStream=4444\nAccept=yes\n"
    assert parts_of("unit", f"{UNITS}/s.socket", socket) == (Filter("systemd", "s.socket", "ListenStream=4444"),)


def test_a_service_says_what_it_runs() -> None:
    text = "[Service]\nType=oneshot\nExecStartPre=-/bin/a\nExecStart=/bin/sh -c \\\n   'evil'\nExecStart=\n"
    text += "[Install]\nExecStart=/no\n"
    assert parts_of("unit", f"{UNITS}/b.service", text) == (
        Consumer("systemd service", "b.service", "ExecStartPre=-/bin/a; /bin/sh -c 'evil'"),
    )


def test_a_drop_in_belongs_to_its_unit() -> None:
    text = "[Service]\nExecStart=/evil\n"
    assert parts_of("unit", f"{UNITS}/ssh.service.d/x.conf", text) == (
        Consumer("systemd service", "ssh.service", "/evil"),
    )


def test_to_enable_is_to_bind() -> None:
    wants = f"{UNITS}/multi-user.target.wants/b.service"
    assert parts_of("enabled unit", wants, None) == (
        Binding('systemd service.Name="b.service"', 'systemd target.Name="multi-user.target"'),
    )
    timer = f"{UNITS}/timers.target.wants/b.timer"
    assert parts_of("enabled unit", timer, "[Timer]\nUnit=other.service\n") == (
        Binding('systemd service.Name="other.service"', 'systemd timer.Name="b.timer"'),
    )
    assert parts_of("enabled unit", timer, None) == (
        Binding('systemd service.Name="b.service"', 'systemd timer.Name="b.timer"'),
    )
    socket = f"{UNITS}/sockets.target.wants/s.socket"
    assert parts_of("enabled unit", socket, "[Socket]\nService=t.service\n") == (
        Binding('systemd service.Name="t.service"', 'systemd socket.Name="s.socket"'),
    )


def entry(path: str, when: str, what: str) -> tuple[Part, ...]:
    return (
        Filter("cron", path, when),
        Consumer("cron command", path, what),
        Binding(f'cron command.Name="{path}"', f'cron entry.Name="{path}"'),
    )


def test_a_crontab_of_the_system_names_users() -> None:
    text = "# m h\nSHELL=/bin/sh\nMAILTO = root\n\n*/5 *  * * *   root  /evil  --now\n@reboot joe /x\n17 * * * * root\n"
    assert parts_of("system crontab", "/etc/cron.d/e", text) == (
        *entry("/etc/cron.d/e", "*/5 * * * *", "/evil  --now"),
        *entry("/etc/cron.d/e", "@reboot", "/x"),
    )


def test_a_crontab_of_a_user_does_not() -> None:
    path = "/var/spool/cron/crontabs/joe"
    assert parts_of("user crontab", path, "0 4 * * 1 /evil a\n@daily x=1; /y\n") == (
        *entry(path, "0 4 * * 1", "/evil a"),
        *entry(path, "@daily", "x=1; /y"),
    )


def test_anacron_counts_days() -> None:
    text = "START_HOURS_RANGE=3-22\n1\t5\tcron.daily\trun-parts /etc/cron.daily\n@monthly 45 m /x\n"
    assert parts_of("system crontab", "/etc/anacrontab", text) == (
        *entry("/etc/anacrontab", "1 5", "run-parts /etc/cron.daily"),
        *entry("/etc/anacrontab", "@monthly 45", "/x"),
    )


def test_a_script_in_a_folder_of_cron_is_run_as_the_folder_says() -> None:
    path = "/etc/cron.daily/evil"
    found, consumer, binding = parts_of("periodic script", path, None)
    assert (found, consumer) == (Filter("cron", path, "@daily"), Consumer("cron script", path, path))
    assert binding == Binding(f'cron script.Name="{path}"', f'cron entry.Name="{path}"')


def test_a_job_of_at_holds_its_commands_and_its_minute() -> None:
    text = (
        "#!/bin/sh\n# atrun uid=0 gid=0\n# mail root 0\numask 22\nPWD=/root; export PWD\n"
        "cd /root || {\n\t echo 'Execution directory inaccessible' >&2\n\t exit 1\n}\n/evil --later\n"
    )
    found, consumer, _ = parts_of("at job", "/var/spool/cron/atjobs/a0000201bf5e2c", text)
    assert found == Filter("at", "/var/spool/cron/atjobs/a0000201bf5e2c", f"minute {0x01BF5E2C} since 1970")
    assert isinstance(consumer, Consumer)
    assert consumer.destination == "/evil --later"


def test_rules_of_udev_that_run_something_are_told() -> None:
    text = (
        '# SUBSYSTEM=="x", RUN+="/no"\n'
        'ACTION=="add", SUBSYSTEM=="usb", ENV{A}!="1", RUN+="/evil \\"$env{A}\\"", MODE="0600"\n'
        'KERNEL=="sd*", \\\n  PROGRAM="/x %k", RUN{builtin}+="kmod load"\nKERNEL=="y", SYMLINK+="z"\n'
    )
    path = "/etc/udev/rules.d/99.rules"
    first, _, _, second, run, binding = parts_of("udev rules", path, text)
    assert first == Filter("udev", path, 'ACTION=="add", SUBSYSTEM=="usb", ENV{A}!="1"')
    assert (second, run) == (Filter("udev", path, 'KERNEL=="sd*"'), Consumer("udev command", path, "/x %k"))
    assert binding == Binding(f'udev command.Name="{path}"', f'udev rule.Name="{path}"')


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("unit", f"{UNITS}/a.timer"),
        ("unit", f"{UNITS}/a.service"),
        ("enabled unit", f"{UNITS}/x.target.wants/a.path"),
        ("udev rules", "/etc/udev/rules.d/a.rules"),
        ("system crontab", "/etc/crontab"),
        ("user crontab", "/var/spool/cron/joe"),
        ("periodic script", "/etc/cron.daily/a"),
        ("at job", "/var/spool/at/a0000201bf5e2c"),
    ],
)
def test_without_its_text_a_file_is_told_by_its_path(place: Place, path: str) -> None:
    parts = parts_of(place, path, None)
    assert parts
    assert all("-" in (getattr(p, "query", "-"), getattr(p, "destination", "-")) or p.name for p in parts)


@given(st.sampled_from(["unit", "udev rules", "system crontab", "user crontab", "at job"]), st.text())
def test_any_text_is_read_within_bounds(place: Place, text: str) -> None:
    path = {"unit": f"{UNITS}/a.service", "at job": "/var/spool/at/a0000201bf5e2c"}.get(place, "/etc/crontab")
    assert len(parts_of(place, path, text * 200)) <= 3 * 64


def test_a_file_with_thousands_of_entries_is_told_in_part() -> None:
    assert len(parts_of("user crontab", "/c", "@daily x\n" * 5000)) == 3 * 64
    assert len(parts_of("udev rules", "/c", 'A=="b", RUN+="c"\n' * 5000)) == 3 * 64


def test_what_has_changed_between_two_versions() -> None:
    one, two, other = Filter("cron", "/c", "@daily"), Filter("cron", "/c", "@hourly"), Consumer("t", "/c", "x")
    assert list(changes((one, other), (two, other))) == [("Modified", two)]
    assert list(changes((one,), (one, other))) == [("Created", other)]
    assert list(changes((one, other), (other,))) == [("Deleted", one)]
    assert list(changes((one,), (one, two))) == [("Created", two)]
    assert list(changes((), (one, one))) == [("Created", one), ("Created", one)]
    assert list(changes((one, one), (one,))) == [("Deleted", one)]
    assert list(changes((one, two), (two, one))) == []
