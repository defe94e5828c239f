"""The settings file of a package: every setting there is, commented out, with its default; from the definitions."""

from __future__ import annotations

import json
from dataclasses import fields

from pysmon.service.settings import Queue
from pysmon.sinks.kinds import OUTPUTS, Option, OutputKind

_HEAD = """\
# Settings of the pysmon service. Every line that begins with # is out of use; what it says is then the default.
# After a change: systemctl restart pysmon. What a configuration of rules is: pysmon -c FILE, not this file.

# How much may wait for an output that is slow or away. Each output has its own queue.
"""
_MEGABYTE = 1 << 20
_QUEUE = {
    "entries": "entries in memory",
    "bytes": "bytes in memory, about",
    "spill": "bytes on the disk; what comes then is lost, and counted",
}
_OUTPUTS = """
# Outputs: as many as wanted, each begun by [[output]] and its type. Without any of them there is the event log, and
# syslog if this machine has /dev/log: the first two below.
"""


def settings_text() -> str:
    """The whole file."""
    queue = Queue()
    lines = [_HEAD + "#[queue]"]
    values = {f.name: _value(getattr(queue, f.name), size=f.name != "entries") for f in fields(Queue)}
    lines += [f"#{name} = {value}  # {_QUEUE[name]}" for name, value in values.items()]
    return "\n".join([*lines, _OUTPUTS, "\n\n".join(map(_kind_text, OUTPUTS.values()))]) + "\n"


def _kind_text(kind: OutputKind) -> str:
    lines = [f"# {kind.name}: {kind.about}", "#[[output]]", f"#type = {_value(kind.name)}"]
    return "\n".join([*lines, *map(_option_text, kind.options)])


def _option_text(option: Option) -> str:
    choices = f" ({', '.join(option.choices)})" if option.choices else ""
    default = '"..."' if option.default is None else _value(option.default, size=option.kind == "size")
    return f"#{option.name} = {default}  # {option.about}{choices}"


def _value(value: object, *, size: bool = False) -> str:
    """As TOML writes it: texts, numbers, booleans and empty tables are as in JSON."""
    if size and type(value) is int and value and value % _MEGABYTE == 0:
        return f'"{value // _MEGABYTE}M"'
    return json.dumps(value)
