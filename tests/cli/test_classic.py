"""What Sysmon's own switches do."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.calls import GOOD, Answer, Caller
from tests.sensor.nobody import become_nobody
from tests.sensor.provoke import apart
from tests.service.controls import FakeControls
from tests.service.machine import FakeMachine
from tests.service.sample import HEALTHY

from pysmon.cli.acts import may_act
from pysmon.cli.classic import classic
from pysmon.cli.usage import configuration_usage
from pysmon.config.read import read_configuration
from pysmon.release import VERSION
from pysmon.schema.event import EVENTS
from pysmon.schema.manifest import manifest_xml
from pysmon.schema.versions import newest
from pysmon.service import stored
from pysmon.service.wire import ConfigurationInUse

LOADED = ["Loading configuration file with schema version 4.90", "Configuration file validated."]


class Sysmon:
    """Calls pysmon as if it were Sysmon, on a machine of our own making."""

    def __init__(self, machine: FakeMachine, captured: pytest.CaptureFixture[str]) -> None:
        self.machine = machine
        self._captured = captured

    def __call__(self, *arguments: object) -> Answer:
        self._captured.readouterr()
        code = classic([str(argument) for argument in arguments], self.machine.installation)
        out, err = self._captured.readouterr()
        kept = "".join(line for line in out.splitlines(keepends=True) if not line.startswith("Warning: others"))
        return Answer(code, kept, err)

    def stored(self) -> stored.Stored:
        found = stored.load(self.machine.paths)
        assert found is not None
        return found


@pytest.fixture
def sysmon(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Sysmon:
    return Sysmon(FakeMachine(tmp_path / "root"), capfd)


@pytest.fixture
def installed(sysmon: Sysmon) -> Sysmon:
    assert sysmon("-i").code == 0
    return sysmon


def test_installing_with_a_configuration_says_what_sysmon_says(sysmon: Sysmon, good: Path) -> None:
    answer = sysmon("-accepteula", "-i", good)
    assert answer.code == 0
    assert answer.out.splitlines() == [*LOADED, "pysmon installed.", "Starting pysmon.", "pysmon started."]
    assert sysmon.machine.active
    assert (sysmon.stored().data, sysmon.stored().name) == (GOOD.encode(), str(good))


def test_installing_again_is_fine_and_told(installed: Sysmon) -> None:
    with installed.machine.service(FakeControls(replace(HEALTHY, version=VERSION))):
        answer = installed("-i")
    assert (answer.code, answer.out) == (0, "The service pysmon is already registered.\n")


def test_an_older_schema_is_told(sysmon: Sysmon, good: Path) -> None:
    good.write_text(good.read_text().replace("4.90", "4.50"))
    assert sysmon("-i", good).out.splitlines()[:2] == [
        "Loading configuration file with schema version 4.50",
        "Sysmon schema version: 4.90",
    ]


@pytest.mark.parametrize("switches", [["-c"], ["-accepteula", "-i"]])
def test_a_bad_configuration_is_not_called_validated_and_changes_nothing(
    sysmon: Sysmon, bad: Path, switches: list[str]
) -> None:
    answer = sysmon(*switches, bad)
    assert (answer.code, answer.out) == (1, "")
    assert "bad.xml:1:" in answer.err
    assert "Imagine" in answer.err
    assert "was not accepted: 1 error, 0 warnings" in answer.err
    assert sysmon.machine.files() == []


def test_a_file_that_cannot_be_read_is_told(sysmon: Sysmon, tmp_path: Path) -> None:
    answer = sysmon("-i", tmp_path / "nothing.xml")
    assert (answer.code, answer.out) == (1, "")
    assert "cannot read the file: No such file or directory" in answer.err


def test_switches_make_a_configuration_that_is_called_by_the_command_line(sysmon: Sysmon) -> None:
    answer = sysmon("-accepteula", "-i", "-h", "md5,sha256", "-n")
    assert answer.code == 0
    assert sysmon.stored().name == "pysmon -accepteula -i -h md5,sha256 -n"
    assert b"<HashAlgorithms>md5,sha256</HashAlgorithms>" in sysmon.stored().data
    assert b'<NetworkConnect onmatch="exclude"/>' in sysmon.stored().data


def test_switches_beside_a_file_add_to_it(sysmon: Sysmon, good: Path) -> None:
    assert sysmon("-i", good, "-n").code == 0
    assert sysmon.stored().name == f"pysmon -i {good} -n"
    configuration = read_configuration(sysmon.stored().data, "").configuration
    assert configuration is not None
    assert [element.tag for element in configuration.filters] == ["ProcessCreate", "NetworkConnect"]


def test_what_a_file_says_itself_is_not_changed_by_switches_and_that_is_told(sysmon: Sysmon, good: Path) -> None:
    good.write_text(GOOD.replace("<EventFiltering>", "<HashAlgorithms>MD5</HashAlgorithms><EventFiltering>"))
    answer = sysmon("-i", good, "-h", "*")
    warning = "Warning: Command-line switch 'h' was overwritten by configuration node 'HashAlgorithms' value"
    assert (answer.code, warning in answer.err) == (0, True)
    assert (sysmon.stored().data, sysmon.stored().name) == (good.read_bytes(), str(good))


def test_an_update_reaches_the_running_service(installed: Sysmon, good: Path) -> None:
    with installed.machine.service() as controls:
        answer = installed("-c", good)
    assert (answer.code, answer.out.splitlines()) == (0, [*LOADED, "Configuration updated."])
    assert (controls.own.data, controls.own.name) == (GOOD.encode(), str(good))


def test_an_update_while_the_service_rests_is_kept_for_it_and_told(installed: Sysmon, good: Path) -> None:
    answer = installed("-c", good)
    assert (answer.code, answer.out.splitlines()) == (87, LOADED)
    assert answer.err.splitlines()[-2:] == [
        "pysmon is not running",
        "what was asked for is stored and holds when it starts",
    ]
    assert installed.stored().data == GOOD.encode()


def test_an_update_by_switches_adds_to_what_is_in_use(installed: Sysmon) -> None:
    with installed.machine.service() as controls:
        controls.own = ConfigurationInUse("old.xml", "", GOOD.encode())
        assert installed("-c", "-n").code == 0
    configuration = read_configuration(controls.own.data, "").configuration
    assert configuration is not None
    assert [element.tag for element in configuration.filters] == ["ProcessCreate", "NetworkConnect"]
    assert controls.own.name == "pysmon -c -n"


def test_an_update_by_switches_does_not_go_against_what_is_in_use(installed: Sysmon) -> None:
    with installed.machine.service() as controls:
        controls.own = ConfigurationInUse("old.xml", "", GOOD.replace("ProcessCreate", "ImageLoad").encode())
        answer = installed("-c", "-l")
    assert (answer.code, answer.out) == (1, "")
    assert "the configuration in use speaks of ImageLoad itself: change that instead (-l)" in answer.err


def test_the_defaults_come_back(installed: Sysmon) -> None:
    with installed.machine.service() as controls:
        answer = installed("-c", "--")
    assert (answer.code, answer.out) == (0, "Updating configuration to use all defaults.\n")
    assert "reset" in controls.calls


def test_the_current_configuration_is_shown_as_sysmon_shows_it(installed: Sysmon) -> None:
    text = GOOD.replace("<EventFiltering>", "<FieldSizes>Image:10</FieldSizes><DnsLookup>0</DnsLookup><EventFiltering>")
    with installed.machine.service() as controls:
        controls.own = ConfigurationInUse("/root/c.xml", "ab" * 32, text.encode())
        answer = installed("-c")
    assert answer.code == 0
    assert answer.out == (
        "Current configuration:\n"
        " - Service name:                  pysmon\n"
        " - Driver name:                   -\n"
        " - Config file:                   /root/c.xml\n"
        f" - Config hash:                   SHA256={'ab' * 32}\n"
        " - Field Sizes:                   Image:10\n"
        "\n"
        " - HashingAlgorithms:             SHA256\n"
        " - Network connection:            disabled\n"
        " - Archive Directory:             -\n"
        " - Image loading:                 disabled\n"
        " - CRL checking:                  disabled\n"
        " - DNS lookup:                    disabled\n"
        "\n"
        "Rule configuration (version 4.90):\n"
        " - ProcessCreate                      onmatch: exclude   combine rules using 'And'\n"
    )


def test_without_rules_the_dump_says_so(installed: Sysmon) -> None:
    with installed.machine.service():
        assert installed("-c").out.endswith("\n\nNo rules installed\n")


@pytest.mark.parametrize("line", ["-c", "-c --", "-u"])
def test_where_nothing_is_installed_there_is_nothing_to_show_or_reset_or_remove(sysmon: Sysmon, line: str) -> None:
    answer = sysmon(*line.split())
    assert (answer.code, answer.out) == (87, "")
    assert "pysmon is not installed on this computer" in answer.err


def test_a_service_that_rests_has_nothing_to_show(installed: Sysmon) -> None:
    answer = installed("-c")
    assert (answer.code, answer.out) == (87, "")
    assert answer.err.splitlines()[-2:] == ["pysmon is not running", "start it: systemctl start pysmon"]


def test_uninstalling_says_what_sysmon_says(installed: Sysmon) -> None:
    answer = installed("-u")
    assert (answer.code, answer.out.splitlines()) == (
        0,
        ["Stopping pysmon.", "pysmon stopped.", "pysmon removed.", "Removing service files."],
    )
    assert installed.machine.files() == []


def test_by_force_also_what_is_not_installed_is_removed(sysmon: Sysmon) -> None:
    assert sysmon("-u", "force").code == 0


def test_what_systemd_refuses_is_told(sysmon: Sysmon) -> None:
    sysmon.machine.fails("start")
    answer = sysmon("-i")
    assert answer.code == 3
    assert "Job for pysmon.service failed." in answer.err
    assert "journalctl" in answer.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_who_may_not_change_the_machine_is_told_as_by_sysmon(sysmon: Sysmon) -> None:
    sysmon.machine.root.chmod(0o755)

    def act() -> bool:
        become_nobody()
        return may_act(sysmon.machine.installation)

    assert apart(act) is False
    assert may_act(sysmon.machine.installation)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may change this machine")
@pytest.mark.parametrize("line", ["-i", "-u", "-c", "-c --", "-i -n"])
def test_only_root_may_change_this_machine(pysmon: Caller, line: str) -> None:
    answer = pysmon("-nologo", *line.split())
    assert (answer.code, answer.err) == (3, "You need to run pysmon as root.\n")


def test_the_debug_mode_watches_in_the_foreground(pysmon: Caller, bad: Path) -> None:
    answer = pysmon("-t", "verbose", "-i", bad)
    assert answer.code == 2
    assert "bad.xml cannot be used" in answer.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--", "The '--' switch must be used with -c switch (config update) to set defaults."),
        ("-c -- -n", "Cannot use specific settings with enforcing defaults."),
        ("-u now", "Invalid option for -u."),
        ("-t loud", "Possible options for DebugMode: verbose"),
        ("-i -h md4", "Invalid hashing algorithm: md4"),
        ("-m", "Option not implemented on Linux."),
        ("-i -d Driver", "Option not implemented on Linux."),
        ("-accepteula", "one of -i, -c, -u and -s says what to do"),
        ("-foo", "'-foo' is no switch"),
        ("-i a b", "'b' is no switch"),
    ],
)
def test_a_line_that_makes_no_sense_is_told_why_and_how_it_would(pysmon: Caller, line: str, words: str) -> None:
    answer = pysmon(*line.split())
    assert (answer.code, answer.out) == (87, "")
    assert words in answer.err
    assert "Usage:" in answer.err


def test_a_list_of_hash_algorithms_may_be_anything_that_sysmon_takes(sysmon: Sysmon) -> None:
    assert sysmon("-i", "-h", "SHA1,md-5,IMPHASH,*").code in {0, 1}
    assert sysmon("-i", "-h", "SHA1,md-5,IMPHASH").code == 0


def test_the_schema_is_printed_clean_for_a_pipe(pysmon: Caller) -> None:
    answer = pysmon("-s")
    assert (answer.code, answer.out) == (0, manifest_xml(newest("linux").version))
    assert answer.err.startswith("pysmon v")


def test_an_unknown_schema_is_told_with_those_that_there_are(pysmon: Caller) -> None:
    answer = pysmon("-s", "9")
    assert (answer.code, answer.out) == (87, "")
    assert "There is no schema that matches that version." in answer.err
    assert "4.91, 4.90" in answer.err


def test_the_banner_can_be_left_away(pysmon: Caller) -> None:
    assert pysmon("-nologo", "-s").err == ""


def test_help_goes_to_standard_output_when_it_was_asked_for(pysmon: Caller) -> None:
    answer = pysmon("-?")
    assert answer.code == 0
    assert answer.out.startswith("Usage:")
    assert max(map(len, answer.out.splitlines())) <= 80


def test_help_on_configurations_has_every_tag_and_condition_of_the_schema(pysmon: Caller) -> None:
    answer = pysmon("-?", "config")
    assert answer.code == 0
    for event in EVENTS.values():
        if event.tag:
            assert f"{event.id:<6} {event.tag:<24} {event.title}\n" in answer.out
    assert "\nnot begin with  " in answer.out
    assert "PipeMonitoringConfig" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


def test_the_sample_configuration_of_the_help_has_no_problems() -> None:
    text = configuration_usage()
    sample = text[text.index("<Sysmon") : text.index("</Sysmon>") + 9]
    reading = read_configuration(sample.encode(), "sample.xml")
    assert reading.problems == ()
    assert reading.configuration is not None
