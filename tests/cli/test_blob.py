"""`pysmon blob`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from tests.cli.calls import GOOD, PROGRAM, Caller, environment, spawned
from tests.config.hives import service, system, write_hive

from pysmon.config.blob.encode import encode
from pysmon.config.read import read_configuration

LESS = GOOD.replace("ProcessCreate", "FileDelete")


def rules(text: str = GOOD) -> bytes:
    found = read_configuration(text.encode(), "a.xml").configuration
    assert found
    return encode(found)


@pytest.fixture
def hive(tmp_path: Path) -> Path:
    pytest.importorskip("regipy", reason="no package regipy")
    settings: dict[str, str | bytes | int] = {
        "ConfigFile": "C:\\a.xml",
        "ConfigHash": "SHA256=AB",
        "HashingAlgorithm": 2,
        "Raw": b"\1",
    }
    return write_hive(tmp_path / "SYSTEM", system({"MyDrv": service(Rules=rules(), **settings)}))


def test_a_configuration_becomes_binary_rules(pysmon: Caller, good: Path, tmp_path: Path) -> None:
    assert pysmon("blob", "encode", good, "-o", tmp_path / "rules.bin") == (0, "", "")
    assert (tmp_path / "rules.bin").read_bytes() == rules()


def test_rules_go_to_a_pipe_but_not_to_a_terminal(good: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "blob", "encode", str(good)], capture_output=True, env=environment(), timeout=60, check=True
    )
    assert done.stdout == rules()
    ours, theirs = pty.openpty()
    refused = subprocess.run(
        [*PROGRAM, "blob", "encode", str(good)],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=environment(),
        timeout=60,
        check=False,
    )
    os.close(theirs)
    os.close(ours)
    assert refused.returncode == 2
    assert b"no bytes for a terminal (-o FILE, or a pipe)" in refused.stderr


def test_what_was_written_is_told_as_json(pysmon: Caller, good: Path, tmp_path: Path) -> None:
    answer = pysmon("blob", "encode", good, "-o", tmp_path / "r", "--json", "--binary-version", "18")
    data = (tmp_path / "r").read_bytes()
    assert json.loads(answer.out) == {
        "file": str(tmp_path / "r"),
        "bytes": 48,
        "sha256": sha256(data).hexdigest(),
        "binary_version": "18.00",
    }
    row = json.loads(pysmon("blob", "encode", good, "--json").out)
    assert (b64decode(row["rules"]), row["sha256"]) == (data, sha256(data).hexdigest())


@pytest.mark.parametrize(
    ("version", "told"), [("x", "'x' is no version of the format"), ("12.34", "12.34 are not known")]
)
def test_a_version_that_does_not_exist_is_told(pysmon: Caller, good: Path, version: str, told: str) -> None:
    answer = pysmon("blob", "encode", good, "--binary-version", version)
    assert answer.code == 2
    assert told in answer.err
    assert "15.00, 16.00" in answer.err


def test_a_configuration_that_filters_nothing_has_no_rules(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "empty.xml"
    path.write_text('<Sysmon schemaversion="4.90"><EventFiltering/></Sysmon>')
    answer = pysmon("blob", "encode", path, "-o", tmp_path / "r")
    assert answer.code == 2
    assert "filters no event" in answer.err
    assert not (tmp_path / "r").exists()


def test_binary_rules_become_a_configuration(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "rules.bin"
    path.write_bytes(rules())
    answer = pysmon("blob", "decode", path)
    assert answer.code == 0
    head = f"<!--\n  Recovered from {path}: binary rules of version 18.00.\n  Not in such rules: options, comments, "
    assert answer.out.startswith(f"{head}the order of events, who shared a RuleGroup.\n-->\n<Sysmon")
    assert rules(answer.out) == rules()


def test_standard_input_is_read(pysmon: Caller) -> None:
    answer = spawned("blob", "decode", "-", stdin=rules())
    assert answer.code == 0
    assert "Recovered from standard input" in answer.out


def test_what_was_read_is_told_as_json(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "rules.bin"
    path.write_bytes(rules())
    found = json.loads(pysmon("blob", "decode", path, "--json").out)
    assert rules(found.pop("xml")) == rules()
    assert found == {
        "origin": str(path),
        "registry": None,
        "sha256": sha256(rules()).hexdigest(),
        "binary_version": "18.00",
        "schema_version": "4.90",
        "events": 1,
        "filters": 0,
        "losses": [],
    }
    answer = pysmon("blob", "decode", path, "--json", "-o", tmp_path / "a.xml")
    assert json.loads(answer.out) == found
    assert rules((tmp_path / "a.xml").read_text()) == rules()


def test_losses_are_told_and_are_findings(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "rules.bin"
    path.write_bytes(b"\0\0\x13\0" + rules()[4:])
    answer = pysmon("blob", "decode", path)
    assert answer.code == 1
    assert "<ProcessCreate" in answer.out
    assert answer.err.startswith(f"pysmon: {path}: offset 0x0: version 19.00 of the format is not known")


@pytest.mark.parametrize(
    ("data", "told"),
    [(b"", "there are 0 bytes"), (GOOD.encode(), "is XML already"), (GOOD.encode("utf-16"), "is XML already")],
)
def test_what_is_no_binary_rules_is_refused(pysmon: Caller, tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    answer = pysmon("blob", "decode", path)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err


def test_a_file_that_is_not_there_is_misuse(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("blob", "decode", tmp_path / "x")
    assert answer.code == 2
    assert "No such file" in answer.err


def test_a_hive_gives_rules_options_and_where_they_came_from(pysmon: Caller, hive: Path) -> None:
    answer = pysmon("blob", "decode", hive)
    assert answer.code == 0
    assert answer.out.splitlines()[1:8] == [
        rf"  Recovered from ControlSet001\Services\MyDrv\Parameters of {hive}: binary rules of version 18.00.",
        "  Its file was C:\\a.xml",
        "  Its hash was SHA256=AB",
        "  Not in such rules: comments, the order of events, who shared a RuleGroup.",
        "-->",
        '<Sysmon schemaversion="4.90">',
        "  <HashAlgorithms>MD5</HashAlgorithms>",
    ]


def test_json_tells_what_stands_beside_the_rules(pysmon: Caller, hive: Path) -> None:
    found = json.loads(pysmon("blob", "decode", hive, "--json").out)
    assert found["registry"] == {"ConfigFile": "C:\\a.xml", "ConfigHash": "SHA256=AB", "HashingAlgorithm": 2}


def test_a_driver_can_be_chosen(pysmon: Caller, hive: Path) -> None:
    write_hive(hive, system({"One": service(Rules=rules()), "Two": service(Rules=rules(LESS))}))
    answer = pysmon("blob", "decode", hive)
    assert answer.code == 2
    assert "the rules of several drivers: One, Two (choose one with --driver NAME)" in answer.err
    assert "<FileDelete" in pysmon("blob", "decode", hive, "--driver", "two").out
    answer = pysmon("blob", "decode", hive, "--driver", "Three")
    assert answer.code == 2
    assert "no rules of Sysmon for the driver Three (there is One, Two)" in answer.err


def test_rules_that_are_there_twice_are_no_question(pysmon: Caller, hive: Path) -> None:
    write_hive(hive, system({"One": service(Rules=rules())}, ControlSet002={"One": service(Rules=rules(LESS))}))
    assert "<ProcessCreate" in pysmon("blob", "decode", hive).out


def test_a_hive_without_sysmon_is_told(pysmon: Caller, hive: Path) -> None:
    write_hive(hive, system({"One": service(Rules=b"x")}))
    answer = pysmon("blob", "decode", hive)
    assert answer.code == 2
    assert "has no rules of Sysmon (is it the SYSTEM hive" in answer.err


def test_a_hive_may_come_from_standard_input(hive: Path) -> None:
    answer = spawned("blob", "decode", "-", stdin=hive.read_bytes())
    assert answer.code == 0
    assert r"Recovered from ControlSet001\Services\MyDrv\Parameters of standard input:" in answer.out


def test_an_export_of_the_registry_gives_the_same_as_the_hive(pysmon: Caller, hive: Path, tmp_path: Path) -> None:
    path = tmp_path / "rules.reg"
    key = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MyDrv\Parameters"
    pairs = ",".join(f"{byte:02x}" for byte in rules())
    lines = [f"[{key}]", '"HashingAlgorithm"=dword:00000002', f'"Rules"=hex:{pairs[:60]}\\', f"  {pairs[60:]}"]
    path.write_bytes("\r\n".join(["Windows Registry Editor Version 5.00", "", *lines, ""]).encode("utf-16"))
    exported, whole = pysmon("blob", "decode", path), pysmon("blob", "decode", hive)
    assert exported.code == 0
    assert exported.out.split("-->")[1] == whole.out.split("-->")[1]
    assert rf"Recovered from SYSTEM\CurrentControlSet\Services\MyDrv\Parameters of {path}" in exported.out
    path.write_bytes(path.read_bytes().replace("dword".encode("utf-16-le"), "dwarf".encode("utf-16-le")))
    answer = pysmon("blob", "decode", path)
    assert (answer.code, "line 4: the value 'HashingAlgorithm' is no value" in answer.err) == (2, True)


def test_a_driver_is_for_hives(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "rules.bin"
    path.write_bytes(rules())
    assert "is no registry hive" in pysmon("blob", "decode", path, "--driver", "x").err


def test_without_the_package_for_hives_its_name_is_told(tmp_path: Path) -> None:
    path = tmp_path / "SYSTEM"
    path.write_bytes(b"regf")
    call = f"main(['blob', 'decode', {str(path)!r}])"
    code = f"import sys; sys.modules['regipy'] = None; from pysmon.__main__ import main; sys.exit({call})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )
    assert done.returncode == 3
    assert "needs the package regipy (pip install 'pysmon[registry]')" in done.stderr
