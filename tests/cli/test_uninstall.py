"""`pysmon uninstall`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.calls import Caller

from pysmon.service import stored
from pysmon.service.paths import Paths


def test_it_removes_what_is_there_and_keeps_the_log_if_asked(pysmon: Caller, tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    stored.save(paths, b"<Sysmon/>", "c.xml", 1)
    paths.store.touch()
    answer = pysmon("uninstall", "--keep-log", "--root", tmp_path)
    assert (answer.code, answer.out.splitlines()) == (
        0,
        ["pysmon removed.", "Removing service files.", f"The event log was kept: {paths.store}"],
    )
    assert [p.name for p in paths.state.iterdir()] == ["log"]
    assert pysmon("uninstall", "--root", tmp_path).code == 0
    assert not paths.state.exists()


def test_what_is_not_there_is_told(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("uninstall", "--root", tmp_path)
    assert (answer.code, answer.err) == (87, "pysmon is not installed on this computer\n")
    assert pysmon("uninstall", "--force", "--root", tmp_path).code == 0
