"""Exports of the registry (.reg): the rules in them, or a RecordError."""

from __future__ import annotations

from fuzz.hive import use
from fuzz.target import Target, law
from pysmon.config.blob.reg_export import is_export, rules_of_export
from pysmon.errors import RecordError


def check(data: bytes) -> None:
    """The law. Whatever comes is tried with the beginning of such a file as well."""
    for text in (data, b"REGEDIT4\n" + data):
        is_export(text)
        try:
            found = rules_of_export(text, "fuzz.reg")
        except RecordError as error:
            law("fuzz.reg, line" in str(error), "an error without a place")
            continue
        law(not found or any(each.current for each in found), "none of the rules are in use")
        use(found)


TARGET = Target(
    "reg_export",
    "exports of the registry (.reg)",
    check,
    words=(
        *(
            b"[HKEY_LOCAL_MACHINE\\",
            b"CurrentControlSet",
            b"\\Parameters]\n",
            b'"Rules"=hex:',
            b'"FieldSizes"="',
            b"@=",
        ),
        *(b"hex(2):", b"hex(ffffffff):", b"dword:", b"\\\n", b"\\\\", b'\\"', b"\r\n", b"\xff\xfe", b"\xfe\xff"),
        *(
            b"\xef\xbb\xbf",
            b"Windows Registry Editor Version 5.00",
            b"REGEDIT4",
            b'"HashingAlgorithm"=',
            b"\xe2\x80\xa8",
        ),
    ),
    longest=1 << 14,
)
