"""Sysmon's schema as XML: what `-s` prints, for every version and platform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import quoteattr

from pysmon.errors import MisuseError
from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.conditions import DEFAULT_CONDITION, conditions_at
from pysmon.schema.event import EVENTS
from pysmon.schema.options import Option, options_at
from pysmon.schema.shape import HIDDEN, Field, Platform, Shape
from pysmon.schema.version import SchemaVersion
from pysmon.schema.versions import known, versions_matching

__all__ = ["manifest_xml", "shapes_at", "versions_matching"]


def shapes_at(version: SchemaVersion, platform: Platform = "linux") -> tuple[Shape, ...]:
    """The events of that schema version, in the order of its manifest."""
    found = [s for t in EVENTS.values() if (s := t.at(version, platform))]
    return tuple(sorted(found, key=lambda s: s.id if s.id >= HIDDEN else s.rank))


def manifest_xml(version: SchemaVersion, platform: Platform = "linux") -> str:
    """The schema of exactly that version, as Sysmon prints it; MisuseError if there is none.

    `linux` gives the manifest as Sysmon for Linux carries it: with `target` on options and events, with the options
    of the internal build and the events that then still had a hidden id. `windows` gives what the public tool prints;
    its form is known from 4.90 and 4.91, and assumed to have been the same before.
    """
    schema = known(version, platform)
    if schema is None:
        raise MisuseError(
            "There is no schema that matches that version.",
            hint=f"{version} is no schema version on {platform}; `-s all` prints those that there are",
        )
    mark = platform == "linux"
    return "\n".join(
        [
            f"<manifest{_attributes(schemaversion=schema.written, binaryversion=schema.binary)}>",
            "  <configuration>",
            "    <options>",
            *_options(options_at(version, platform), mark),
            "    </options>",
            f'    <filters default="{DEFAULT_CONDITION}">{",".join(conditions_at(version))}</filters>',
            "  </configuration>",
            "  <events>",
            *_events(shapes_at(version, platform), mark),
            "  </events>",
            "</manifest>",
            "",
        ]
    )


def _options(options: Iterable[Option], mark: bool) -> Iterator[str]:
    said = ""
    for option in options:
        heading = "Command-line only options" if option.noconfig else "Configuration file"
        if heading != said:
            yield f"      <!-- {heading} -->"
            said = heading
        attributes = _attributes(
            switch=option.switch,
            name=option.name,
            argument=option.argument,
            target=("internal" if option.internal else "all") if mark else "",
            noconfig=_true(option.noconfig),
            exclusive=_true(option.exclusive),
            rule=_true(option.rule),
            forceconfig=_true(option.forceconfig),
        )
        yield f"      <option{attributes} />"


def _events(shapes: Iterable[Shape], mark: bool) -> Iterator[str]:
    for shape in shapes:
        attributes = _attributes(
            name=shape.symbol,
            value=hex(shape.id) if shape.id >= HIDDEN else str(shape.id),
            level=shape.level,
            template=shape.title,
            rulename=shape.tag,
            ruledefault=shape.stated_default or "",
            version=str(shape.version),
            target=shape.target if mark else "",
        )
        yield f"    <event{attributes}>"
        yield from (f"      {_data(field)}" for field in shape.fields)
        yield "    </event>"


def _data(field: Field) -> str:
    return f"<data{_attributes(name=field.name, inType=field.kind.in_type, outType=field.kind.out_type)} />"


def _attributes(**values: str) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items() if value)


def _true(value: bool) -> str:
    return "true" if value else ""
