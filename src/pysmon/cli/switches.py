"""The switches that set what to watch (`-n -h md5`), as the configuration that says the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from pysmon.cli.flags import ClassicCall
from pysmon.config.decode import decode
from pysmon.config.model import Configuration
from pysmon.errors import MisuseError
from pysmon.schema.versions import newest

_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*\?>\s*")
_END = "</Sysmon>"


@dataclass(frozen=True, slots=True)
class _Setting:
    """What a switch says in a configuration."""

    switch: str
    node: str  # the element that says the same, as Sysmon names it in its warning
    tag: str = ""  # of the event that it switches on
    field: str = ""  # of that event: what the names after the switch are compared with
    condition: str = "image"
    option: str = ""  # the option element that takes its value

    def elements(self, value: str | None) -> tuple[str, str]:
        """The option element and the event element, each as XML or empty."""
        option = f"<{self.option}>{escape(value or '')}</{self.option}>" if self.option else ""
        if not self.tag:
            return option, ""
        names = [name for name in (value or "").split(",") if name and name != "*"]
        if not names:
            return option, f'<{self.tag} onmatch="exclude"/>'  # excludes nothing: all of them
        filters = "".join(
            f'<{self.field} condition="{self.condition}">{escape(self._name(name))}</{self.field}>' for name in names
        )
        return option, f'<{self.tag} onmatch="include">{filters}</{self.tag}>'

    def _name(self, entry: str) -> str:
        """The name in an entry; those of ProcessAccess can have a mask behind a colon, and `::` is a colon itself."""
        if self.option != "ProcessAccessConfig":
            return entry
        return entry.replace("::", "\0").partition(":")[0].replace("\0", ":")

    def stands_in(self, configuration: Configuration) -> bool:
        """Does the configuration say something of it itself?"""
        if any(element.tag == self.tag for element in configuration.filters):
            return True
        options = configuration.options
        given = {
            "HashAlgorithms": options.hash_algorithms,
            "ProcessAccessConfig": options.process_access,
            "PipeMonitoringConfig": options.pipe_monitoring,
        }
        return given.get(self.option) is not None


_SETTINGS: Mapping[str, _Setting] = {
    "HashAlgorithms": _Setting("h", "HashAlgorithms", option="HashAlgorithms"),
    "ProcessAccess": _Setting("k", "ProcessAccess", "ProcessAccess", "TargetImage", option="ProcessAccessConfig"),
    "PipeMonitoring": _Setting("g", "PipeEvent", "PipeEvent", "PipeName", "is", option="PipeMonitoringConfig"),
    "DnsQuery": _Setting("dns", "DnsQuery", "DnsQuery", "Image"),
    "ImageLoad": _Setting("l", "ImageLoad", "ImageLoad", "Image"),
    "NetworkConnect": _Setting("n", "NetworkConnect", "NetworkConnect", "Image"),
}
SETTINGS = tuple(_SETTINGS)  # names of the options


def has_settings(call: ClassicCall) -> bool:
    """Does the command line set what to watch?"""
    return any(name in call for name in SETTINGS)


def overwritten(call: ClassicCall, configuration: Configuration) -> list[tuple[str, str]]:
    """The switches of which the configuration speaks itself, each with its element: Sysmon takes what that says."""
    given = [setting for name, setting in _SETTINGS.items() if name in call]
    return [(setting.switch, setting.node) for setting in given if setting.stands_in(configuration)]


def with_settings(call: ClassicCall, data: bytes, configuration: Configuration | None) -> bytes:
    """The configuration with what the switches add to it, `data` itself if they add nothing; without one, a new one."""
    left = [
        (setting, call.value(name))
        for name, setting in _SETTINGS.items()
        if name in call and not (configuration and setting.stands_in(configuration))
    ]
    if not left:
        return data
    pairs = [setting.elements(value) for setting, value in left]
    options, events = ("".join(f"  {part}\n" for part in parts if part) for parts in zip(*pairs, strict=True))
    added = f"{options}  <EventFiltering>\n{events}  </EventFiltering>\n" if events else options
    if configuration is None:
        return f'<Sysmon schemaversion="{newest("linux").version}">\n{added}{_END}\n'.encode()
    text = _DECLARATION.sub("", decode(data).text or "", count=1)
    before, end, after = text.rpartition(_END)
    if not end:
        raise MisuseError(
            "the configuration has no end tag </Sysmon> to put the switches before", hint="put them into the file"
        )
    return f"{before.rstrip()}\n{added}{end}{after}".encode()
