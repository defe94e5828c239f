"""Signatures at the end of kernel modules: what they say, or a RecordError."""

from __future__ import annotations

from fuzz.target import Target, law
from pysmon.errors import RecordError
from pysmon.host.module_signature import MARK, read_signature


def check(data: bytes) -> None:
    """The law. Whatever comes is tried as the end of a module that claims a signature, too."""
    for tail in (data, data + MARK):
        try:
            found = read_signature(tail)
        except RecordError:
            continue
        law((found is None) == (not tail.endswith(MARK)), "there is a signature where its mark is, and nowhere else")
        if found:
            law(all((found.signer, found.key, found.hash)), "what a signature does not say is `-`, not empty")


TARGET = Target(
    "module",
    "signatures of kernel modules",
    check,
    words=(MARK, b"\x30\x82", b"\x31", b"\xa0\x82", b"\x02\x01\x01", b"\x06\x03\x55\x04\x03", b"\0\0\2\0\0\0\0\0"),
    longest=1 << 13,
)
