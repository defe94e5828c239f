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
"""


@click.command(epilog=_EXAMPLES)
@click.argument("version", default="")
@click.option(
    "--platform",
    type=click.Choice(["linux", "windows"]),
    default="linux",
    show_default=True,
    help="Whose schema: that of Sysmon for Linux or for Windows.",
)
def schema(version: str, platform: Platform) -> int:
    """Print the schema: every event, field and option of a version.

    VERSION is a schema version or how it begins (4 prints all that begin with 4), or `all`; without it the newest.
    """
    click.echo(schema_text(version, platform), nl=False)
    return FINE


def schema_text(version: str, platform: Platform = "linux") -> str:
    """The manifests of all matching versions, newest first; MisuseError if there are none."""
    found = versions_matching(version, platform)
    if not found:
        there_are = ", ".join(known.written for known in schemas(platform))
        raise MisuseError("There is no schema that matches that version.", hint=f"versions on {platform}: {there_are}")
    return "".join(manifest_xml(known.version, platform) for known in found)
