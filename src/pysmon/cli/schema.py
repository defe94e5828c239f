"""`pysmon schema`: the schema of a version, as XML."""

from __future__ import annotations

import click

from pysmon.cli.document import put_document
from pysmon.cli.exits import FINE
from pysmon.errors import MisuseError
from pysmon.schema.manifest import manifest_xml, shapes_at
from pysmon.schema.shape import HIDDEN, Platform
from pysmon.schema.version import SchemaVersion
from pysmon.schema.versions import schemas, versions_matching

_EXAMPLES = """\b
Examples:
  pysmon schema
  pysmon schema 4.50 --platform windows
  pysmon schema all

\b
Exit code: 0, or 2 if there is no such version.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("version", default="")
@click.option(
    "--platform",
    type=click.Choice(["linux", "windows"]),
    help="Whose schema: Sysmon for Linux or for Windows. Without it Linux, or Windows where only that has one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of XML.")
def schema(version: str, platform: Platform | None, as_json: bool) -> int:
    """Print the schema: every event, field and option of a version.

    VERSION is a schema version or how it begins (4 prints all that begin with 4), or `all`; without it the newest.
    """
    if as_json:
        put_document({"schemas": [_row(*pair) for pair in _found(version, platform)]})
    else:
        click.echo(schema_text(version, platform), nl=False)
    return FINE


def schema_text(version: str, platform: Platform | None = None) -> str:
    """The manifests of all matching versions, newest first; MisuseError if there are none."""
    return "".join(manifest_xml(known, each) for known, each in _found(version, platform))


def _found(version: str, platform: Platform | None) -> list[tuple[SchemaVersion, Platform]]:
    asked: tuple[Platform, ...] = (platform,) if platform else ("linux", "windows")
    found = {known.version: each for each in reversed(asked) for known in versions_matching(version, each)}
    if not version:  # the newest that this platform knows, not the newest of all
        found = {versions_matching("", asked[0])[0].version: asked[0]}
    if not found:
        there_are = ", ".join(known.written for known in schemas(asked[-1]))
        raise MisuseError("There is no schema that matches that version.", hint=f"known versions: {there_are}")
    return sorted(found.items(), reverse=True)


def _row(version: SchemaVersion, platform: Platform) -> dict[str, object]:
    shapes = [shape for shape in shapes_at(version, platform) if shape.id < HIDDEN]
    return {
        "version": str(version),
        "platform": platform,
        "events": [
            {
                "id": shape.id,
                "symbol": shape.symbol,
                "title": shape.title,
                "tag": shape.tag or None,
                "fields": [{"name": field.name, "type": field.kind.name} for field in shape.fields],
            }
            for shape in shapes
        ],
    }
