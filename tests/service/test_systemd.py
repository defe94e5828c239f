"""Talking to systemd."""

from __future__ import annotations

from pathlib import Path

import pytest

from pysmon.service.paths import Paths
from pysmon.service.systemd import Systemd, SystemdError


def systemctl(root: Path, text: str) -> Systemd:
    program = root / "systemctl"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return Systemd(Paths.under(root), str(program))


def test_a_machine_without_it_is_known(tmp_path: Path) -> None:
    systemd = Systemd(Paths.under(tmp_path), search="")
    assert (systemd.present, systemd.running) == (False, False)
    with pytest.raises(SystemdError, match="no systemctl here"):
        systemd.start()


def test_it_runs_where_it_has_booted_the_machine(tmp_path: Path) -> None:
    systemd = systemctl(tmp_path, "")
    assert (systemd.present, systemd.running) == (True, False)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert systemd.running


@pytest.mark.parametrize(
    ("says", "version"), [("systemd 252 (252.39-1~deb12u2)", 252), ("systemd 257~rc1", 257), ("runit", 0)]
)
def test_its_version_is_read(tmp_path: Path, says: str, version: int) -> None:
    assert systemctl(tmp_path, f"echo '{says}'").version() == version


def test_what_it_knows_of_the_service_is_told_by_name(tmp_path: Path) -> None:
    says = """echo LoadState=loaded; echo "DropInPaths=/etc/a=b.conf"; echo; echo "$@" >$(dirname $0)/asked"""
    told = systemctl(tmp_path, says).show("LoadState", "DropInPaths")
    assert told == {"LoadState": "loaded", "DropInPaths": "/etc/a=b.conf"}
    assert (tmp_path / "asked").read_text() == (
        "--no-ask-password show pysmon.service --property=LoadState,DropInPaths\n"
    )
    with pytest.raises(SystemdError, match="bus"):
        systemctl(tmp_path, "echo no bus >&2; exit 1").show("LoadState")


def test_what_it_refuses_is_told_in_its_words_and_with_where_to_look(tmp_path: Path) -> None:
    systemd = systemctl(tmp_path, 'echo "Job failed." >&2; echo "See status." >&2; exit 1')
    with pytest.raises(SystemdError) as error:
        systemd.start()
    assert str(error.value) == "systemctl start pysmon.service: Job failed. See status."
    assert "journalctl -b -u pysmon.service" in error.value.hint


def test_a_refusal_without_words_is_told_by_its_code(tmp_path: Path) -> None:
    with pytest.raises(SystemdError, match="exit code 4"):
        systemctl(tmp_path, "exit 4").enable()


def test_a_unit_that_never_failed_has_no_failures_to_forget(tmp_path: Path) -> None:
    systemctl(tmp_path, '[ "$2" != reset-failed ]').reload()


def test_it_never_asks_for_a_password(tmp_path: Path) -> None:
    systemctl(tmp_path, '[ "$1" = --no-ask-password ]').stop()


def test_what_is_below_another_root_is_not_enabled_on_this_machine(tmp_path: Path) -> None:
    systemctl(tmp_path, f'[ "$2" = --root={tmp_path} ] && [ "$3" = enable ]').enable()
