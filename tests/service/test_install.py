"""Installing, changing and removing the service on a machine of our own making."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from tests.service.controls import FakeControls
from tests.service.machine import FakeMachine
from tests.service.sample import HEALTHY

from pysmon.config.problems import Problem
from pysmon.errors import MisuseError, Place
from pysmon.release import VERSION
from pysmon.service import stored
from pysmon.service.ask import AskError
from pysmon.service.install import AbsentError, Given, InstallError
from pysmon.service.program import ProgramError
from pysmon.service.stored import StoredError
from pysmon.service.systemd import SystemdError
from pysmon.service.unit import MARK, unit_text

ONE = Given(b'<Sysmon schemaversion="4.90"/>', "one.xml")
TWO = Given(b'<Sysmon schemaversion="4.91"/>', "two.xml")
WHEN = 1_700_000_000_000_000_000
UNIT = "etc/systemd/system/pysmon.service"
WANTED = "etc/systemd/system/multi-user.target.wants/pysmon.service"
CONFIGURATION = ["var/lib/pysmon/config.json", "var/lib/pysmon/config.xml"]


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path / "root")


def install(machine: FakeMachine, given: Given | None = None) -> list[str]:
    """The messages, without warnings of where the tests' Python lies."""
    return [m for m in machine.installation.install(given, WHEN) if not m.startswith("Warning:")]


def uninstall(machine: FakeMachine, *, force: bool = False, keep_log: bool = False) -> list[str]:
    return list(machine.installation.uninstall(force=force, keep_log=keep_log))


def of_this_release(version: str = VERSION) -> FakeControls:
    return FakeControls(replace(HEALTHY, version=version))


def test_an_installed_service_runs_and_has_its_configuration(machine: FakeMachine) -> None:
    assert install(machine, ONE) == ["pysmon installed.", "Starting pysmon.", "pysmon started."]
    assert machine.told == ["daemon-reload", "reset-failed pysmon.service", *_units("enable", "start")]
    found = stored.load(machine.paths)
    assert found is not None
    assert (found.data, found.name, found.when) == (ONE.data, ONE.name, WHEN)
    assert machine.files() == sorted([UNIT, WANTED, *CONFIGURATION])


def test_the_unit_is_readable_and_runs_the_program(machine: FakeMachine) -> None:
    install(machine)
    text = machine.paths.unit.read_text()
    assert text.startswith(MARK)
    assert text.endswith(unit_text(machine.installation.program, systemd=252))
    assert stat.S_IMODE(machine.paths.unit.stat().st_mode) == 0o644


def test_without_a_configuration_none_is_stored(machine: FakeMachine) -> None:
    install(machine)
    assert stored.load(machine.paths) is None


def test_installing_again_changes_nothing_that_is_as_it_should_be(machine: FakeMachine) -> None:
    install(machine, ONE)
    before = machine.told and machine.paths.unit.stat().st_ino
    with machine.service(of_this_release()):
        assert install(machine) == ["The service pysmon is already registered."]
    assert machine.told == _units("enable")
    assert machine.paths.unit.stat().st_ino == before
    found = stored.load(machine.paths)
    assert found is not None
    assert found.data == ONE.data


def test_installing_again_with_a_configuration_tells_the_running_service(machine: FakeMachine) -> None:
    install(machine, ONE)
    with machine.service(of_this_release()) as controls:
        assert install(machine, TWO) == ["The service pysmon is already registered.", "Configuration updated."]
    assert (controls.own.data, controls.own.name) == (TWO.data, TWO.name)


def test_an_upgrade_restarts_the_service_and_keeps_what_it_has(machine: FakeMachine) -> None:
    install(machine, ONE)
    machine.paths.store.write_text("events")
    assert machine.told
    with machine.service(of_this_release("0.0.1")):
        assert install(machine) == [
            "The service pysmon is already registered.",
            "Starting pysmon.",
            "pysmon started.",
        ]
    assert machine.told == _units("enable", "restart")
    assert machine.paths.store.read_text() == "events"
    assert stored.load(machine.paths) is not None


def test_a_unit_of_an_older_release_is_replaced_and_read_anew(machine: FakeMachine) -> None:
    install(machine)
    machine.paths.unit.write_text(MARK + "[Service]\n")
    assert machine.told
    with machine.service(of_this_release()):
        install(machine)
    assert machine.told == ["daemon-reload", "reset-failed pysmon.service", *_units("enable", "restart")]
    assert "ExecStart" in machine.paths.unit.read_text()


def test_a_unit_that_an_administrator_wrote_is_left_alone(machine: FakeMachine) -> None:
    machine.paths.unit.parent.mkdir(parents=True)
    machine.paths.unit.write_text("[Service]\nExecStart=/opt/own\n")
    messages = install(machine)
    assert f"{machine.paths.unit} is of somebody else: it was left as it is" in messages
    assert machine.paths.unit.read_text() == "[Service]\nExecStart=/opt/own\n"
    assert machine.active


def test_the_unit_of_a_package_is_used_and_none_is_written(machine: FakeMachine) -> None:
    machine.package()
    assert install(machine, ONE)[-1] == "pysmon started."
    assert machine.files() == sorted([WANTED, *CONFIGURATION])
    assert machine.installation.installed


def test_a_package_takes_over_from_an_installation_of_before(machine: FakeMachine) -> None:
    install(machine, ONE)
    machine.package()
    assert machine.told
    install(machine)
    assert machine.files() == sorted([WANTED, *CONFIGURATION])
    assert machine.told == ["daemon-reload", "reset-failed pysmon.service", *_units("enable", "restart")]


def test_a_program_that_would_not_start_is_not_installed(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path / "root", program=(str(tmp_path / "nothing"),))
    with pytest.raises(ProgramError, match="a service could not start"):
        install(machine, ONE)
    assert (machine.files(), machine.told) == ([], [])


def test_a_program_that_others_can_change_is_warned_of(tmp_path: Path) -> None:
    program = tmp_path / "pysmon"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o777)
    machine = FakeMachine(tmp_path / "root", program=(str(program),))
    messages = list(machine.installation.install(None, WHEN))
    assert f"Warning: others than root can change {program}, and thereby what root runs" in messages


def test_a_service_that_does_not_start_stays_installed_and_says_where_to_look(machine: FakeMachine) -> None:
    machine.fails("start")
    with pytest.raises(SystemdError, match="Job for pysmon") as error:
        install(machine, ONE)
    assert "journalctl" in error.value.hint
    assert machine.installation.installed


def test_a_service_in_the_foreground_is_not_joined_by_another(machine: FakeMachine) -> None:
    with machine.service(), pytest.raises(InstallError, match=f"process {HEALTHY.pid} already, not by systemd"):
        install(machine)
    assert not machine.active


def test_in_an_image_that_is_being_built_the_service_is_enabled_for_later(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path / "root", booted=False)
    messages = install(machine, ONE)
    assert messages[0] == "pysmon installed."
    assert messages[1].startswith("systemd does not run here: pysmon will start when it does.")
    assert machine.told == _units("enable")
    assert not machine.active


def test_without_systemd_the_configuration_is_stored_and_the_way_to_run_it_told(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path / "root", systemd=False, booted=False)
    with pytest.raises(InstallError, match="no systemd here") as error:
        install(machine, ONE)
    assert "`pysmon service` watches in the foreground" in error.value.hint
    assert machine.files() == CONFIGURATION


def test_an_update_goes_to_the_running_service(machine: FakeMachine) -> None:
    install(machine, ONE)
    with machine.service() as controls:
        assert list(machine.installation.update(TWO, WHEN)) == ["Configuration updated."]
    assert (controls.own.data, controls.own.name) == (TWO.data, TWO.name)


def test_an_update_that_the_service_refuses_is_told_with_its_problems(machine: FakeMachine) -> None:
    install(machine, ONE)
    with machine.service() as controls:
        controls.problems = (Problem("C401", "error", Place("two.xml", 3, 7), "no such field", "another"),)
        with pytest.raises(MisuseError, match=r"refuses the configuration:\ntwo\.xml:3:7"):
            list(machine.installation.update(TWO, WHEN))
    assert controls.own.data == b""


def test_an_update_of_a_service_that_rests_is_stored_for_its_next_start(machine: FakeMachine) -> None:
    install(machine, ONE)
    with pytest.raises(AbsentError, match=r"^pysmon is not running$") as error:
        list(machine.installation.update(TWO, WHEN))
    assert "holds when it starts" in error.value.hint
    found = stored.load(machine.paths)
    assert found is not None
    assert found.data == TWO.data


@pytest.mark.parametrize("act", ["update", "reset", "configuration"])
def test_where_nothing_is_installed_there_is_nothing_to_change(machine: FakeMachine, act: str) -> None:
    installation = machine.installation
    acts = {
        "update": lambda: list(installation.update(ONE, WHEN)),
        "reset": lambda: list(installation.reset()),
        "configuration": installation.configuration,
    }
    with pytest.raises(AbsentError, match="pysmon is not installed on this computer"):
        acts[act]()
    assert machine.files() == []


def test_a_service_under_another_supervisor_takes_updates(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path / "root", systemd=False, booted=False)
    with machine.service() as controls:
        assert list(machine.installation.update(ONE, WHEN)) == ["Configuration updated."]
        assert machine.installation.configuration().data == ONE.data
    assert controls.own.name == ONE.name


def test_a_reset_goes_to_the_running_service(machine: FakeMachine) -> None:
    install(machine, ONE)
    with machine.service() as controls:
        assert list(machine.installation.reset()) == ["Updating configuration to use all defaults."]
    assert "reset" in controls.calls


def test_a_reset_of_a_service_that_rests_forgets_what_is_stored(machine: FakeMachine) -> None:
    install(machine, ONE)
    messages = machine.installation.reset()
    assert next(messages) == "Updating configuration to use all defaults."
    with pytest.raises(AbsentError, match="not running"):
        next(messages)
    assert stored.load(machine.paths) is None


def test_a_service_that_gives_no_answer_is_not_taken_for_one_that_rests(machine: FakeMachine) -> None:
    install(machine, ONE)
    with machine.service() as controls:
        controls.failure = RuntimeError("broken")
        for messages in (machine.installation.update(TWO, WHEN), machine.installation.reset()):
            with pytest.raises(AskError):
                list(messages)
    found = stored.load(machine.paths)
    assert found is not None
    assert found.data == ONE.data


def test_what_is_in_use_is_asked_of_the_service_or_looked_up(machine: FakeMachine) -> None:
    assert machine.installation.in_use() is None
    install(machine, ONE)
    assert machine.installation.in_use() == ONE
    with machine.service() as controls:
        assert machine.installation.in_use() is None
        list(machine.installation.update(TWO, WHEN))
        assert machine.installation.in_use() == TWO
    assert controls.own.name == TWO.name


def test_a_service_that_rests_has_no_configuration_to_show(machine: FakeMachine) -> None:
    install(machine, ONE)
    with pytest.raises(AbsentError, match=r"^pysmon is not running$") as error:
        machine.installation.configuration()
    assert error.value.hint == "start it: systemctl start pysmon"


def litter(machine: FakeMachine) -> None:
    """What a service leaves in the course of time."""
    paths = machine.paths
    names = ["log", "log-wal", "log-shm", "log.lock", "log.damaged-1", "spill/0/1", "logs-of-somebody"]
    files = [paths.state / name for name in names]
    files += [paths.settings, paths.drop_ins / "own.conf", paths.logs / "a.json", paths.runtime / "control.sock"]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def test_uninstalling_leaves_nothing_behind(machine: FakeMachine) -> None:
    install(machine, ONE)
    litter(machine)
    assert machine.told
    assert uninstall(machine) == [
        "Stopping pysmon.",
        "pysmon stopped.",
        "pysmon removed.",
        "Removing service files.",
    ]
    assert machine.told == [*_units("stop", "disable"), "daemon-reload", "reset-failed pysmon.service"]
    assert machine.files() == []
    assert not any(p.exists() for p in (machine.paths.state, machine.paths.settings.parent, machine.paths.runtime))


def test_uninstalling_keeps_the_log_when_asked(machine: FakeMachine) -> None:
    install(machine, ONE)
    litter(machine)
    assert uninstall(machine, keep_log=True)[-1] == f"The event log was kept: {machine.paths.store}"
    kept = ["log", "log-shm", "log-wal", "log.damaged-1", "log.lock"]
    assert machine.files() == [*(f"var/lib/pysmon/{name}" for name in kept), "var/log/pysmon/a.json"]


def test_a_log_that_was_kept_is_used_by_the_next_installation_and_can_be_removed_later(machine: FakeMachine) -> None:
    install(machine, ONE)
    litter(machine)
    uninstall(machine, keep_log=True)
    assert not machine.installation.installed
    install(machine)
    assert machine.paths.store.exists()
    uninstall(machine)
    assert machine.files() == []


def test_uninstalling_what_is_not_there_says_so(machine: FakeMachine) -> None:
    with pytest.raises(AbsentError, match="pysmon is not installed on this computer"):
        uninstall(machine)
    assert machine.told == []


def test_by_force_what_is_not_there_is_removed_all_the_same(machine: FakeMachine) -> None:
    machine.paths.runtime.mkdir(parents=True)
    assert uninstall(machine, force=True)[-1] == "Removing service files."
    assert not machine.paths.runtime.exists()


def test_a_service_that_does_not_stop_is_not_removed(machine: FakeMachine) -> None:
    install(machine, ONE)
    machine.fails("stop")
    with pytest.raises(SystemdError):
        uninstall(machine)
    assert len(machine.files()) == 4


def test_by_force_a_service_is_removed_that_cannot_be_stopped_or_disabled(machine: FakeMachine) -> None:
    install(machine, ONE)
    for verb in ("stop", "disable"):
        machine.fails(verb)
    messages = uninstall(machine, force=True)
    assert "Stopping the service failed: systemctl stop" in messages[1]
    assert "Disabling the service failed: systemctl" in messages[2]
    assert machine.files() == []


def test_a_service_under_another_supervisor_has_to_be_ended_there_first(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path / "root", systemd=False, booted=False)
    stored.save(machine.paths, ONE.data, ONE.name, WHEN)
    with machine.service(), pytest.raises(InstallError, match=f"runs as process {HEALTHY.pid}"):
        uninstall(machine)
    assert uninstall(machine) == ["pysmon removed.", "Removing service files."]
    assert machine.files() == []


def test_the_files_of_a_package_are_left_to_the_package(machine: FakeMachine) -> None:
    unit = machine.package()
    install(machine, ONE)
    litter(machine)
    uninstall(machine)
    assert unit.exists()
    assert machine.files() == ["etc/pysmon/pysmon.toml", "etc/systemd/system/pysmon.service.d/own.conf"]
    assert not machine.installation.installed


def test_a_folder_with_settings_of_others_stays(machine: FakeMachine) -> None:
    install(machine)
    other = machine.paths.settings.with_name("other.toml")
    other.parent.mkdir(parents=True)
    other.touch()
    uninstall(machine)
    assert machine.files() == ["etc/pysmon/other.toml"]


def test_a_stored_configuration_that_is_damaged_does_not_hinder_a_new_one(machine: FakeMachine) -> None:
    install(machine, ONE)
    machine.paths.configuration.write_text("other")
    with pytest.raises(StoredError):
        machine.installation.in_use()
    install(machine, TWO)
    assert machine.installation.in_use() == TWO


def _units(*verbs: str) -> list[str]:
    return [f"{verb} pysmon.service" for verb in verbs]
