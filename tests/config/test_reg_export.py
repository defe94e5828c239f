"""Sysmon's rules in exports of the registry."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.make import configuration, create

from pysmon.config.blob.encode import encode
from pysmon.config.blob.reg_export import is_export, rules_of_export
from pysmon.errors import RecordError

RULES = encode(configuration(create("<Image>x</Image>")))
KEY = "[HKEY_LOCAL_MACHINE\\SYSTEM\\%s\\Services\\SysmonDrv\\Parameters]"


def wrapped(data: bytes, width: int = 25) -> str:
    pieces = [",".join(f"{byte:02x}" for byte in data[at : at + width]) for at in range(0, len(data), width)]
    return ",\\\r\n  ".join(pieces)


def export(*lines: str, head: str = "Windows Registry Editor Version 5.00") -> bytes:
    return ("\ufeff" + "\r\n".join([head, "", *lines, ""])).encode("utf-16-le")


def test_rules_and_what_stands_beside_them_are_read() -> None:
    path = 'C:\\\\a \\"b\\".xml'
    wide = ",".join(f"{byte:02x}" for byte in "C:\\\0".encode("utf-16-le"))
    values = [f'"ConfigFile"="{path}"', '"HashingAlgorithm"=dword:80000003', f'"ArchiveDirectory"=hex(2):{wide}']
    data = export(KEY % "CurrentControlSet", '@="x"', *values, f'"Rules"=hex:{wrapped(RULES)}')
    (found,) = rules_of_export(data, "a.reg")
    assert found.data == RULES
    assert (found.driver, found.current) == ("SysmonDrv", True)
    assert found.settings["ConfigFile"] == 'C:\\a "b".xml'
    assert found.settings["ArchiveDirectory"] == "C:\\"
    assert found.options().hash_algorithms == ("SHA1", "MD5")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig", "utf-16-le"])
def test_any_encoding_and_the_old_head_are_read(encoding: str) -> None:
    data = "\n".join(["REGEDIT4", KEY % "ControlSet001", f'"Rules"=hex:{wrapped(RULES)}']).encode(encoding)
    assert is_export(data)
    assert rules_of_export(data, "a.reg")[0].data == RULES


def test_the_current_control_set_comes_first() -> None:
    value = f'"Rules"=hex:{wrapped(RULES)}'
    data = export(KEY % "ControlSet001", value, KEY % "CurrentControlSet", value)
    assert [(each.current, "Current" in each.key) for each in rules_of_export(data, "x")] == [
        (True, True),
        (False, False),
    ]


@pytest.mark.parametrize("value", ["hex:0g", "dword:x", "words", '"open'])
def test_what_is_no_value_is_refused_with_its_line(value: str) -> None:
    with pytest.raises(RecordError, match=r"a\.reg, line 4: the value 'Rules'"):
        rules_of_export(export(KEY % "x", f'"Rules"={value}'), "a.reg")


def test_other_files_are_none() -> None:
    assert not any(map(is_export, [b"", b"regf", b"\xff\xfe", RULES, b"<Sysmon/>"]))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(RecordError):
        assert isinstance(rules_of_export(export(*text.splitlines()), "x"), list)
