"""Binary rules: they are read, with what could not be told as losses, or a RecordError says where they are none."""

from __future__ import annotations

from fuzz.configuration import use
from fuzz.target import Target, law
from pysmon.config.blob.decode import decode
from pysmon.errors import RecordError


def check(data: bytes) -> None:
    """The law."""
    try:
        decoded = decode(data, "fuzz.bin")
    except RecordError as error:
        law(bool(str(error)), "an error without a word")
        return
    use(decoded.configuration)


TARGET = Target(
    "blob",
    "binary rules",
    check,
    words=(b"\x18\0\0\0", b"\xff\xff\xff\xff", b"\0\0\x12\0", b"\0\0\x0f\0", b"\0\xd8", b"a\0b\0\0\0", b"\x08\0\0\0"),
    shared=("data/oracle-blobs/*.bin",),
)
