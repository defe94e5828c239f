"""Modules of our own making with signatures of every kind. Nobody's key has signed anything."""

from __future__ import annotations

import struct

from tests.host.test_der import value

from pysmon.host.module_signature import MARK

CONTENT = b"\x7fELF and so on"
SHA256, SHA512 = bytes.fromhex("608648016503040201"), bytes.fromhex("608648016503040203")
_COMMON_NAME, _ORGANISATION = bytes.fromhex("550403"), bytes.fromhex("55040a")
_SIGNED_DATA, _DATA, _RSA = (
    bytes.fromhex(n) for n in ("2a864886f70d010702", "2a864886f70d010701", "2a864886f70d010101")
)


def sequence(*parts: bytes) -> bytes:
    return value(0x30, b"".join(parts))


def named(*, common: str = "", organisation: str = "") -> bytes:
    """A name of X.500."""
    pairs = ((_ORGANISATION, organisation), (_COMMON_NAME, common))
    return sequence(*(value(0x31, sequence(value(6, kind), value(0x0C, n.encode()))) for kind, n in pairs if n))


def message(*signers: bytes) -> bytes:
    """A message of RFC 5652 without certificates, as the kernel's sign-file makes it."""
    digest = sequence(value(6, SHA256))
    signed = sequence(value(2, b"\1"), value(0x31, digest), sequence(value(6, _DATA)), value(0x31, b"".join(signers)))
    return sequence(value(6, _SIGNED_DATA), value(0xA0, signed))


def signer(issuer: bytes, serial: bytes = b"\x1b\xa0", digest: bytes = SHA256) -> bytes:
    return _signer(sequence(issuer, value(2, serial)), digest)


def signer_by_key(key: bytes, digest: bytes = SHA256) -> bytes:
    return _signer(value(0x80, key), digest)


def _signer(who: bytes, digest: bytes) -> bytes:
    return sequence(value(2, b"\1"), who, sequence(value(6, digest)), sequence(value(6, _RSA)), value(4, b"x" * 256))


def module(signature: bytes, *, kind: int = 2, hash_kind: int = 0, name: bytes = b"", key: bytes = b"") -> bytes:
    """A module with that signature at its end."""
    about = struct.pack(">5B3xI", 0, hash_kind, kind, len(name), len(key), len(signature))
    return CONTENT + name + key + signature + about + MARK
