"""What goes over the control socket: the JSON documents of both ends."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Literal

import msgspec

from pysmon.config.decode import LIMIT
from pysmon.config.problems import Problem
from pysmon.formats.visible import spelled
from pysmon.service.status import Status
from pysmon.service.verdict import is_healthy, verdict

LONGEST = LIMIT * 2  # bytes of a document: base64 or escapes make a configuration longer
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ConfigurationInUse:
    """The configuration of the running service, byte for byte; the one that pysmon brings is called `Defaults`."""

    name: str
    sha256: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Sheet:
    """A configuration in a document: as text, or in base64 if its bytes are not UTF-8."""

    name: str
    text: str
    sha256: str = ""  # told by the service, needless in a request
    encoding: Literal["utf-8", "base64"] = "utf-8"

    @classmethod
    def of(cls, data: bytes, name: str, sha256: str = "") -> Sheet:
        """Wrap it up."""
        try:
            return cls(name, data.decode(), sha256)
        except UnicodeDecodeError:
            return cls(name, base64.b64encode(data).decode(), sha256, "base64")

    @property
    def data(self) -> bytes:
        """The bytes; ValueError if they are not what `encoding` says."""
        return self.text.encode() if self.encoding == "utf-8" else base64.b64decode(self.text, validate=True)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a configuration that was sent: its hash if it is in use now, and what is wrong with it."""

    problems: tuple[Problem, ...] = ()
    sha256: str = ""  # "" if it was refused


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was not served, and what would help."""

    error: str
    hint: str = ""


def status_document(status: Status) -> bytes:
    """The status as JSON: its fields, and before them the verdict and what it rests on."""
    fields: dict[str, object] = msgspec.to_builtins(status)
    return document({"healthy": is_healthy(status), "wrong": verdict(status)} | fields)


def document(value: object) -> bytes:
    """The value as JSON with a newline at its end. What is no Unicode is spelled out, as everywhere (`\\xff`)."""
    try:
        return msgspec.json.encode(value) + b"\n"
    except UnicodeEncodeError:
        text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False, separators=(",", ":"))
        return _SURROGATES.sub(lambda found: f"\\{spelled(found[0])}", text).encode() + b"\n"
