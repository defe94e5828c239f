"""The bytes of a configuration file -> its text: encodings, byte order marks, and files that are no text at all."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from pysmon.config.report import Finding, quoted

LIMIT = 16 * 1024 * 1024  # bytes; the largest configurations in use have about 5 MB

_DECLARED = re.compile(r"""\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'>]*)["']""")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_EIGHT_BIT = {"utf-8": "utf-8", "ascii": "ascii", "iso8859-1": "iso-8859-1", "cp1252": "cp1252"}
_OPENS = b"< \t\r\n"  # what the first character of an XML file can be
_READABLE = "UTF-8, UTF-16, ISO-8859-1, Windows-1252 or US-ASCII"


class Decoded(NamedTuple):
    """The text with line ends made `\\n`, None if there is none to read, and what was wrong with the bytes."""

    text: str | None
    findings: tuple[Finding, ...]


def decode(data: bytes) -> Decoded:
    """Turn the bytes of a file into text, as Sysmon finds the encoding: byte order mark, zero bytes, declaration."""
    if len(data) > LIMIT:
        return _nothing("C102", f"the file has more than {LIMIT} bytes", f"at most {LIMIT} bytes")
    mark, encoding = next(((m, name) for m, name in _MARKS if data.startswith(m)), (b"", ""))
    body = data[len(mark) :]
    if not body.strip(b" \t\r\n\0"):
        return _nothing("C103", "the file is empty", "a <Sysmon> element")
    if encoding == "utf-32":
        return _nothing("C105", "the file is encoded in UTF-32", _READABLE, "save the file as UTF-8")
    if encoding:
        return _decoded(body, encoding, marked=True)
    if len(body) > 1 and body[1] == 0 and body[0] in _OPENS:
        return _decoded(body, "utf-16-le", marked=False)
    if len(body) > 1 and body[0] == 0 and body[1] in _OPENS:
        return _decoded(body, "utf-16-be", marked=False)
    return _decoded(body, "", marked=False)


def _nothing(code: str, message: str, expected: str, hint: str = "") -> Decoded:
    return Decoded(None, (Finding(code, None, message, expected, hint),))


def _decoded(body: bytes, encoding: str, *, marked: bool) -> Decoded:
    declared, at = _declared(body[:1024].decode(encoding or "latin-1", "replace"))
    findings = []
    if declared and not encoding:
        encoding = _known(declared)
        if not encoding:
            hint = "save the file as UTF-8 and declare that"
            return Decoded(
                _lines(body.decode("latin-1")) if b"<Sysmon" in body else None,
                (Finding("C105", at, f"the encoding {quoted(declared)} is not known", _READABLE, hint),),
            )
        if encoding == "utf-16":
            findings.append(_contradiction(at, declared, "its bytes are not UTF-16", "UTF-8"))
            encoding = "utf-8"
    elif declared and not _agrees(declared, encoding):
        why = "its byte order mark says otherwise" if marked else "its bytes say otherwise"
        findings.append(_contradiction(at, declared, why, encoding.upper()))
    if encoding == "utf-16-be":
        hint = "save the file as UTF-8"
        expected = "UTF-8 or UTF-16 little-endian"
        findings.append(Finding("C107", 0, "the file is UTF-16 big-endian, which Sysmon does not read", expected, hint))
    text, broken = _text(body, encoding or "utf-8", bool(declared))
    return Decoded(text, (*findings, *broken))


def _text(body: bytes, encoding: str, declared: bool) -> tuple[str | None, list[Finding]]:
    try:
        return _lines(body.decode(encoding)), []
    except UnicodeDecodeError as error:
        at = len(_lines(body[: error.start].decode(encoding, "replace")))
        found = body[error.start : error.end].hex(" ")[:24]
        message = f"the bytes {found} are not {encoding.upper()} ({error.reason})"
        text = _lines(body.decode(encoding, "replace"))
        hint = "" if declared or encoding != "utf-8" else "if the file is ISO-8859-1, declare it or save it as UTF-8"
        # A file that is no configuration at all (a picture, a program) would only give noise from here on.
        return text if "<Sysmon" in text else None, [
            Finding("C104", at if "<Sysmon" in text else None, message, f"text in {encoding.upper()}", hint)
        ]


def _declared(head: str) -> tuple[str, int]:
    found = _DECLARED.match(head)
    return (found[1], len(_lines(head[: found.start(1)]))) if found else ("", 0)


def _known(name: str) -> str:
    try:
        found = codecs.lookup(name).name if name.isascii() and len(name) < 32 else ""
    except (LookupError, ValueError):
        return ""
    return "utf-16" if found.startswith("utf-16") else _EIGHT_BIT.get(found, "")


def _agrees(declared: str, encoding: str) -> bool:
    known = _known(declared)
    return known == encoding or (known == "utf-16" and encoding.startswith("utf-16"))


def _contradiction(at: int, declared: str, why: str, used: str) -> Finding:
    message = f"the file declares {quoted(declared)}, but {why}; it is read as {used}"
    return Finding("C106", at, message, f'encoding="{used}"', "like Sysmon, pysmon believes the bytes")


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
