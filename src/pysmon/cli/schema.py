"""`pysmon schema`: the schema of a version, as XML."""

from __future__ import annotations

import click

from pysmon.cli.exits import FINE
from pysmon.errors import MisuseError
from pysmon.schema.manifest import manifest_xml
from pysmon.schema.shape import Platform
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
def schema(version: str, platform: Platform | None) -> int:
    """Print the schema: every event, field and option of a version.

    VERSION is a schema version or how it begins (4 prints all that begin with 4), or `all`; without it the newest.
    """
    click.echo(schema_text(version, platform), nl=False)
    return FINE


def schema_text(version: str, platform: Platform | None = None) -> str:
    """The manifests of all matching versions, newest first; MisuseError if there are none."""
    asked: tuple[Platform, ...] = (platform,) if platform else ("linux", "windows")
    found = {known.version: (known, each) for each in reversed(asked) for known in versions_matching(version, each)}
    if not version:  # the newest that this platform knows, not the newest of all
        newest = versions_matching("", asked[0])[0]
        found = {newest.version: (newest, asked[0])}
    if not found:
        there_are = ", ".join(known.written for known in schemas(asked[-1]))
        raise MisuseError("There is no schema that matches that version.", hint=f"known versions: {there_are}")
    return "".join(manifest_xml(version, each) for version, (_, each) in sorted(found.items(), reverse=True))
