"""The signature that stands at the end of a kernel module: who signed it. Whether it holds is the kernel's to say.

Facts: include/linux/module_signature.h, scripts/sign-file.c; RFC 5652 for the message (PKCS#7, CMS).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pysmon.errors import RecordError
from pysmon.host.der import INTEGER, OCTETS, OID, SEQUENCE, SET, Value, dotted, inside, parts, text

MARK = b"~Module signature appended~\n"
TAIL = 1 << 17  # bytes at the end of a file that are enough
# Algorithm, hash, kind, lengths of the signer and of the key id (of old kinds), length of the signature.
_LAYOUT = struct.Struct(">5B3xI")
_PGP, _X509, _PKCS7 = 0, 1, 2
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CHOICE_0, _CONTEXT_0 = 0x80, 0xA0
_OLD_HASHES = ("md4", "md5", "sha1", "rmd160", "sha256", "sha384", "sha512", "sha224")
_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.8": "sha3-256",
    "2.16.840.1.101.3.4.2.9": "sha3-384",
    "2.16.840.1.101.3.4.2.10": "sha3-512",
}
_NAMES = ("2.5.4.3", "2.5.4.10", "1.2.840.113549.1.9.1")  # common name, organisation, address; the first that is there


@dataclass(frozen=True, slots=True)
class ModuleSignature:
    """What a signature says of itself. `-` for what it does not."""

    signer: str = "-"  # issuer of the key's certificate, as modinfo shows it
    key: str = "-"  # serial number or id of the key, in upper-case hex
    hash: str = "-"  # sha256 and the like


def read_signature(tail: bytes) -> ModuleSignature | None:
    """The signature of a module of which `tail` is the end; None if it has none. RecordError if it cannot be read."""
    if not tail.endswith(MARK):
        return None
    end = len(tail) - len(MARK) - _LAYOUT.size
    if end < 0:
        raise RecordError("a module is shorter than the signature that it claims to have")
    _, hash_kind, kind, signer_size, key_size, size = _LAYOUT.unpack_from(tail, end)
    begin = end - size - key_size - signer_size
    if begin < 0:
        raise RecordError(f"a module's signature claims {size} bytes, where {end} are looked at")
    if kind == _PKCS7:
        return _of_message(tail[end - size : end])
    if kind in (_PGP, _X509):
        signer = tail[begin : begin + signer_size].decode("utf-8", "replace")
        key = tail[begin + signer_size : end - size].hex().upper()
        name = _OLD_HASHES[hash_kind] if hash_kind < len(_OLD_HASHES) else "-"
        return ModuleSignature(signer or "-", key or "-", name)
    raise RecordError(f"a module's signature is of the kind {kind} (expected 0, 1 or 2)")


def _of_message(message: bytes) -> ModuleSignature:
    """ContentInfo { signedData, [0] SignedData { version, digests, content, .., signers } }; the first one counts."""
    kind, content = _exactly(inside(_only(parts(message)), SEQUENCE, "the message"), 2, "the message")
    if kind.tag != OID or dotted(kind.content) != _SIGNED_DATA:
        raise RecordError("a module's signature is a message of another kind (expected signed data)")
    signed = inside(_only(inside(content, _CONTEXT_0, "the content")), SEQUENCE, "the signed data")
    if len(signed) < 4:
        raise RecordError(f"signed data has {len(signed)} parts (expected 4 or more)")
    signers = inside(signed[-1], SET, "the set of signers")
    if not signers:
        raise RecordError("a module's signature names no signer")
    about = inside(signers[0], SEQUENCE, "the signer")
    if len(about) < 3:
        raise RecordError(f"a signer has {len(about)} parts (expected 3 or more)")
    _, who, digest = about[:3]
    return _of_signer(who, _hash(digest))


def _of_signer(who: Value, hash_name: str) -> ModuleSignature:
    if who.tag == _CHOICE_0:  # an id of the key alone
        return ModuleSignature(key=who.content.hex().upper() or "-", hash=hash_name)
    issuer, serial = _exactly(inside(who, SEQUENCE, "the signer's name"), 2, "the signer's name")
    if serial.tag not in (INTEGER, OCTETS):
        raise RecordError("a signer's serial number is no number")
    return ModuleSignature(_name(issuer), serial.content.hex().upper() or "-", hash_name)


def _name(issuer: Value) -> str:
    """Name ::= SEQUENCE OF SET OF SEQUENCE { kind, text }."""
    found: dict[str, str] = {}
    what = "a part of the issuer's name"
    for relative in inside(issuer, SEQUENCE, "the issuer"):
        for pair in inside(relative, SET, what):
            kind, value = _exactly(inside(pair, SEQUENCE, what), 2, what)
            found.setdefault(dotted(kind.content), text(value))
    return next((found[kind] for kind in _NAMES if found.get(kind)), "-")


def _hash(algorithm: Value) -> str:
    kinds = inside(algorithm, SEQUENCE, "the digest algorithm")
    if not kinds or kinds[0].tag != OID:
        raise RecordError("a signer names no digest algorithm")
    number = dotted(kinds[0].content)
    return _HASHES.get(number, number)


def _only(values: list[Value]) -> Value:
    return _exactly(values, 1, "a wrapping")[0]


def _exactly(values: list[Value], count: int, what: str) -> list[Value]:
    if len(values) != count:
        raise RecordError(f"{what} has {len(values)} parts (expected {count})")
    return values
