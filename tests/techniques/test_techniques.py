"""Techniques of attackers, done on this machine: the log tells each, and so does what the shipped rules keep of it.

Those that would change the machine are done in a virtual one, by `make vm-techniques`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.cli.calls import Caller, need_sensor, spawned
from tests.techniques.technique import Ask, Judge, Technique, names_it, rows, techniques

from pysmon.config.read import default_bytes
from pysmon.schema.event import EVENTS

ALL = techniques()
HERE = [technique for technique in ALL if not technique.vm]
UNMADE = {"FileDelete", "FileBlockExecutable", "FileBlockShredding"}  # removed files are told by 26; nothing is blocked


def everything() -> str:
    tags = dict.fromkeys(event.tag for event in EVENTS.values() if event.tag and event.live and event.tag not in UNMADE)
    elements = "".join(f'<{tag} onmatch="exclude"/>' for tag in tags)
    return f'<Sysmon schemaversion="4.90"><EventFiltering>{elements}</EventFiltering></Sysmon>'


def asking(pysmon: Caller, store: Path) -> Ask:
    def ask(words: object) -> str:
        assert isinstance(words, list)
        answer = pysmon(*words, "--store", store)
        assert answer.code in (0, 1), answer.err
        return answer.out

    return ask


@pytest.mark.parametrize("technique", HERE, ids=lambda each: each.name)
def test_the_log_tells_a_technique(technique: Technique, pysmon: Caller, tmp_path: Path) -> None:
    need_sensor()
    _need_means(technique)
    stage, log, rules = tmp_path / "stage", tmp_path / "events.json", tmp_path / "rules.xml"
    stage.mkdir()
    rules.write_text(everything())
    kept = ("--store", tmp_path / "all", "--format", "json", "-o", log)
    done = spawned("run", "-c", rules, *kept, "--", *technique.apart(stage))
    assert done.code == 0, done.err

    judge = Judge(technique, stage, asking(pysmon, tmp_path / "all"))
    findings = judge.findings(shipped=False)
    assert not [finding for finding in findings if finding.missing], "\n".join(rows(technique, findings))
    assert judge.leads_to_the_shell()

    rules.write_bytes(default_bytes())
    assert pysmon("replay", rules, log, "--store", tmp_path / "shipped").code == 0
    judge = Judge(technique, stage, asking(pysmon, tmp_path / "shipped"))
    findings = judge.findings(shipped=True)
    assert not [finding for finding in findings if finding.missing], "\n".join(rows(technique, findings))
    assert judge.leads_to_the_shell()
    assert names_it(technique, findings), f"no rule that kept it is named after {technique.attack}"


def _need_means(technique: Technique) -> None:
    needed = {"unshare", "bash"} | ({"ip"} if "network" in technique.own else set())
    if lacking := [tool for tool in sorted(needed) if shutil.which(tool) is None]:
        pytest.skip(f"there is no {', '.join(lacking)}")
    probe = subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"no namespaces of one's own here: {probe.stderr.decode().strip()}")
