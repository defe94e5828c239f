"""Sysmon's rules in registry hives."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.config.hives import Key, service, system, write_hive
from tests.config.make import configuration, create

from pysmon.config.blob.encode import encode
from pysmon.config.blob.hive import StoredRules, find_rules
from pysmon.config.model import Options
from pysmon.errors import RecordError

pytest.importorskip("regipy", reason="no package regipy")

RULES = encode(configuration(create("<Image>x</Image>")))
OTHERS = encode(configuration(create("<Image>other</Image>")))
LARGE = encode(configuration(create("<Image>x</Image>" * 40)))


def found(path: Path, root: Key) -> list[StoredRules]:
    return find_rules(write_hive(path / "SYSTEM", root))


def test_the_driver_is_found_whatever_its_name(tmp_path: Path) -> None:
    services = {"Tcpip": service(Domain="x"), "MyDrv": service(Rules=RULES), "bare": Key()}
    (rules,) = found(tmp_path, system(services))
    assert rules.data == RULES
    assert rules.driver == "MyDrv"
    assert rules.key == r"ControlSet001\Services\MyDrv\Parameters"
    assert rules.current


def test_large_rules_are_put_together_again(tmp_path: Path) -> None:
    assert len(LARGE) > 16344
    (rules,) = found(tmp_path, system({"SysmonDrv": service(Rules=LARGE)}))
    assert rules.data == LARGE


def test_rules_of_others_are_none_of_sysmon(tmp_path: Path) -> None:
    services = {
        "Firewall": service(Rules=b"other rules that are much longer"),
        "b": service(Rules="text"),
        "c": service(Rules=b""),
    }
    assert found(tmp_path, system(services)) == []


def test_those_of_the_current_control_set_come_first(tmp_path: Path) -> None:
    hive = system({"SysmonDrv": service(Rules=RULES)}, 2, ControlSet002={"SysmonDrv": service(Rules=OTHERS)})
    assert [(rules.data, rules.current) for rules in found(tmp_path, hive)] == [(OTHERS, True), (RULES, False)]


def test_without_select_the_first_set_is_the_current_one(tmp_path: Path) -> None:
    hive = system({"SysmonDrv": service(Rules=RULES)})
    (rules,) = found(tmp_path, Key(keys={"ControlSet001": hive.keys["ControlSet001"]}))
    assert rules.current


@pytest.mark.parametrize(
    ("root", "driver"),
    [
        (Key(keys={"Services": Key(keys={"SysmonDrv": service(Rules=RULES)})}), "SysmonDrv"),
        (Key(keys={"SysmonDrv": service(Rules=RULES)}), "SysmonDrv"),
        (service(Rules=RULES), ""),
        (Key({"Rules": RULES}), ""),
    ],
)
def test_a_part_of_the_hive_that_was_saved_will_do(tmp_path: Path, root: Key, driver: str) -> None:
    (rules,) = found(tmp_path, root)
    assert (rules.data, rules.driver, rules.current) == (RULES, driver, True)


def test_what_stands_beside_the_rules_becomes_options(tmp_path: Path) -> None:
    key = service(
        Rules=RULES,
        HashingAlgorithm=0x8000000C,
        FieldSizes="Image:10,User:5,odd",
        ArchiveDirectory="\\Sysmon\\",
        CheckRevocation=1,
        DnsLookup=b"\0",
        ConfigFile="C:\\c.xml",
    )
    (rules,) = found(tmp_path, system({"SysmonDrv": key}))
    assert rules.options() == Options(
        hash_algorithms=("SHA256", "IMPHASH"),
        field_sizes={"Image": 10, "User": 5},
        archive_directory="Sysmon",
        check_revocation=True,
        dns_lookup=False,
    )
    assert rules.settings["ConfigFile"] == "C:\\c.xml"


@pytest.mark.parametrize(
    ("value", "names"), [(1, ("SHA1",)), (4, ("IMPHASH",)), (0x80000003, ("SHA1", "MD5")), (0, ())]
)
def test_hash_algorithms_are_one_by_its_number_or_several_by_a_mask(value: int, names: tuple[str, ...]) -> None:
    assert StoredRules("", True, b"", {"HashingAlgorithm": value}).options().hash_algorithms == names


def test_without_anything_beside_there_are_no_options() -> None:
    assert StoredRules("", True, b"", {}).options() == Options()


@pytest.mark.parametrize("data", [b"regf", b"regf" + bytes(8000), b"not a hive"])
def test_what_is_no_hive_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "SYSTEM"
    path.write_bytes(data)
    with pytest.raises(RecordError, match="is no registry hive that can be read"):
        find_rules(path)


def test_a_damaged_hive_is_read_or_refused(tmp_path: Path) -> None:
    path = write_hive(tmp_path / "SYSTEM", system({"SysmonDrv": service(Rules=RULES)}))
    whole, chance = path.read_bytes(), random.Random(1)
    refused = 0
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(3):
            data[chance.randrange(4096, len(data) - 1000)] = chance.randrange(256)
        path.write_bytes(data)
        try:
            assert len(find_rules(path)) <= 1
        except RecordError:
            refused += 1
    assert 0 < refused < 100


def test_a_file_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find_rules(tmp_path / "SYSTEM")
