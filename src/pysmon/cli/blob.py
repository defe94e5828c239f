"""`pysmon blob`: configurations to binary rules and back, also out of the registry of a dead machine."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import click

from pysmon.cli.configuration import configured
from pysmon.cli.deliver import STDOUT, deliver, must_be_another
from pysmon.cli.document import put_document
from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.inputs import STDIN, bytes_of_file, refuse_log
from pysmon.cli.telling import tell, tell_all
from pysmon.config.blob.compilers import COMPILERS
from pysmon.config.blob.decode import Decoded, decode
from pysmon.config.blob.encode import encode
from pysmon.config.blob.hive import MAGIC, StoredRules, find_rules, rules_of_hive
from pysmon.config.blob.reg_export import is_export, rules_of_export
from pysmon.config.model import Rule
from pysmon.config.write import write_configuration
from pysmon.errors import MisuseError
from pysmon.formats.visible import visible
from pysmon.schema.version import SchemaVersion

_ENCODE_EXAMPLES = """\b
Examples:
  pysmon blob encode config.xml -o rules.bin
  pysmon blob encode config.xml --binary-version 18 | sha256sum

\b
Exit code: 0, 2 if the configuration cannot be used or filters nothing, 3 if the rules cannot be written.
"""
_DECODE_EXAMPLES = """\b
Examples:
  pysmon blob decode rules.bin -o config.xml
  pysmon blob decode /mnt/c/Windows/System32/config/SYSTEM -o config.xml
  pysmon blob decode SYSTEM --driver MyDrv --json | jq .registry
  pysmon blob decode exported.reg -o config.xml

\b
Exit code: 0 all is told, 1 something could not be told in XML, 2 these are no binary rules of Sysmon,
3 the file cannot be read, or it is a hive and the package regipy is not there.
"""


_NEVER = ("comments", "the order of events", "who shared a RuleGroup")
_EXAMPLES = """\b
Examples:
  pysmon blob encode config.xml -o rules.bin
  pysmon blob decode SYSTEM -o config.xml
"""


@click.group(epilog=_EXAMPLES)
def blob() -> None:
    """Turn configurations into Sysmon's binary rules, and binary rules into configurations.

    Binary rules are what Sysmon stores and loads: in the registry value `Rules` of its driver on Windows, in
    /opt/sysmon/rules.bin on Linux.
    """


@blob.command("encode", epilog=_ENCODE_EXAMPLES)
@click.argument("config", metavar="CONFIG")
@click.option(
    "-o", "--output", metavar="FILE", default=STDOUT, help="Where to write the rules; `-` is standard output."
)
@click.option("--binary-version", metavar="VERSION", help="Version of the format, that is of the Sysmon to load it.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document, with the rules in it unless -o is given.")
def encode_command(config: str, output: str, binary_version: str | None, as_json: bool) -> int:
    """Compile a configuration into binary rules, byte for byte as Sysmon does.

    Without --binary-version: 15.0, or the first later one that knows its schema version and all that it speaks of. A
    Sysmon loads rules of its own major version only: 15 is that of Sysmon 13.20, 16 of 13.30 and of Linux 1.0 to 1.3,
    18 of Sysmon 15 and of Linux from 1.4 on.
    """
    binary = _version(binary_version) if binary_version else None
    must_be_another(output, config)
    data = encode(configured(config), binary)
    if not data:
        raise MisuseError(f"{config} filters no event", hint="Sysmon stores no rules then; its defaults hold")
    if not as_json or output != STDOUT:
        deliver(data, output, binary=True)
    if as_json:
        version = str(SchemaVersion(int.from_bytes(data[2:4], "little"), int.from_bytes(data[:2], "little")))
        row = {"file": output, "bytes": len(data), "sha256": sha256(data).hexdigest(), "binary_version": version}
        put_document(row | ({"rules": b64encode(data).decode()} if output == STDOUT else {}))
    return FINE


@blob.command("decode", epilog=_DECODE_EXAMPLES)
@click.argument("file", metavar="FILE")
@click.option("-o", "--output", metavar="FILE", default=STDOUT, help="Where to write the XML; `-` is standard output.")
@click.option("--driver", metavar="NAME", help="Of several drivers in a hive, the one with this name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with the XML in it unless -o is given.")
def decode_command(file: str, output: str, driver: str | None, as_json: bool) -> int:
    """Recover the configuration from binary rules.

    FILE holds the rules themselves, or is a registry hive (SYSTEM) with them or what `reg export` wrote of one; `-` is
    standard input. In a registry the driver is found whatever its name, and the options that stand beside its rules are
    recovered as well. Beside a hive its transaction logs are read (SYSTEM.LOG1, .LOG2).
    """
    must_be_another(output, file)
    found = _found(file, driver)
    decoded = decode(found.data, file)
    head = [f"Recovered from {visible(found.origin)}: binary rules of version {decoded.binary}.", *found.notes]
    configuration = decoded.configuration
    if found.stored:
        configuration = replace(configuration, options=found.stored.options())
    text = write_configuration(configuration, head=head)
    if as_json:
        put_document(_row(found, decoded) | ({"xml": text} if output == STDOUT else {}))
    if not as_json or output != STDOUT:
        deliver(text.encode(), output)
    tell_all(f"{file}: {loss}" for loss in decoded.losses)
    return FINDINGS if decoded.losses else FINE


@dataclass(frozen=True, slots=True)
class _Found:
    """Binary rules, and where they come from."""

    origin: str
    data: bytes
    stored: StoredRules | None = None

    @property
    def notes(self) -> list[str]:
        """What the registry tells of the configuration's file."""
        settings = self.stored.settings if self.stored else {}
        shown = [("file", settings.get("ConfigFile")), ("hash", settings.get("ConfigHash"))]
        told = [f"Its {name} was {visible(value)}" for name, value in shown if isinstance(value, str) and value]
        options = () if self.stored else ("options",)
        return [*told, f"Not in such rules: {', '.join((*options, *_NEVER))}."]


def _found(file: str, driver: str | None) -> _Found:
    data, name = bytes_of_file(file), "standard input" if file == STDIN else file
    if data.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<"):
        raise MisuseError(f"{name} is XML already", hint="`pysmon blob encode` makes binary rules of it")
    if data.startswith(MAGIC):
        found = find_rules(Path(file)) if Path(file).is_file() else rules_of_hive(data, name)
    elif is_export(data):
        found = rules_of_export(data, name)
    elif driver:
        raise MisuseError(f"{name} is no registry hive and no export of one", hint="--driver is for those")
    else:
        refuse_log(data, name, hint="binary rules stand in a file of their own, in a hive or in an export of one")
        return _Found(name, data)
    stored = _chosen(name, found, driver)
    if stored.remark:
        tell(f"{name}: {stored.remark}")
    return _Found(f"{stored.key} of {name}", stored.data, stored)


def _chosen(file: str, stored: list[StoredRules], driver: str | None) -> StoredRules:
    """The one that is meant: of the current control set, if there are more."""
    fitting = [each for each in stored if driver is None or each.driver.lower() == driver.lower()]
    if not fitting:
        others = ", ".join(sorted({each.driver for each in stored}))
        hint = f"there is {others}" if others else "is it the SYSTEM hive, and was Sysmon installed with rules?"
        raise MisuseError(f"{file} has no rules of Sysmon" + (f" for the driver {driver}" if driver else ""), hint=hint)
    first = fitting[0]
    rivals = [each for each in fitting[1:] if each.current == first.current and each.data != first.data]
    if rivals:
        names = ", ".join(sorted({each.driver for each in (first, *rivals)}))
        raise MisuseError(f"{file} has the rules of several drivers: {names}", hint="choose one with --driver NAME")
    return first


def _row(found: _Found, decoded: Decoded) -> dict[str, object]:
    made = decoded.configuration
    entries = [entry for element in made.filters for entry in element.entries]
    settings = found.stored.settings if found.stored else {}
    return {
        "origin": found.origin,
        "registry": {name: value for name, value in settings.items() if not isinstance(value, bytes)} or None,
        "sha256": made.sha256,
        "binary_version": str(decoded.binary),
        "schema_version": str(made.schema_version),
        "events": len(made.filters),
        "filters": sum(len(entry.filters) if isinstance(entry, Rule) else 1 for entry in entries),
        "losses": list(decoded.losses),
    }


def _version(text: str) -> SchemaVersion:
    try:
        return SchemaVersion.parse(text)
    except ValueError as error:
        known = ", ".join(str(each.binary) for each in COMPILERS)
        raise MisuseError(f"{text!r} is no version of the format", hint=f"known are {known}") from error
