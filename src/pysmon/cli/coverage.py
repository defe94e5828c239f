"""`pysmon coverage`: which ATT&CK techniques the rules of a configuration name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from pysmon.cli.configuration import configured, many
from pysmon.cli.deliver import deliver, must_be_another
from pysmon.cli.document import json_document, put_document
from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.printing import Printer
from pysmon.formats.describe import Piece
from pysmon.formats.visible import visible
from pysmon.views.words import Line
from pysmon.workbench.coverage import Coverage, Technique, coverage, navigator_layer, unique

_EXAMPLES = """\b
Examples:
  pysmon coverage config.xml
  pysmon coverage --layer layer.json config.xml
  pysmon coverage --json config.xml | jq -r '.techniques[].id'

\b
Exit code: 0 some technique is named, 1 none is, 2 the configuration cannot be used, 3 the layer cannot be written.
"""
_ID = len("T1059.001")
_HANG = 14


@click.command("coverage", epilog=_EXAMPLES)
@click.argument("config")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
@click.option("--layer", metavar="FILE", help="Write a layer for the ATT&CK Navigator; `-` is standard output.")
def coverage_command(config: str, as_json: bool, layer: str | None) -> int:
    """List the ATT&CK techniques that the rules of CONFIG name in their RuleName.

    A technique counts by the conditions of includes that have it in their name (`technique_id=T1059.001,...`, `T1059`).
    That a rule names a technique does not say that it finds it.
    """
    if as_json and layer == "-":
        raise click.UsageError("--json and --layer - would both write to standard output")
    found = coverage(configured(config))
    if layer is not None:
        must_be_another(layer, config)
        text = json_document(navigator_layer(found, Path(config).stem), indented=True)
        deliver(text + b"\n", layer)
    if as_json:
        put_document(_document(found))
    elif layer != "-":
        Printer.of_stdout().lines(_table(found))
    return FINE if found.kept else FINDINGS


def _document(found: Coverage) -> dict[str, object]:
    return {
        "techniques": [
            {
                "id": technique.id,
                "now": technique.now or technique.id,
                "names": technique.names,
                "events": technique.tags,
                "includes": technique.includes,
                "excludes": technique.excludes,
                "lines": technique.lines,
            }
            for technique in found.techniques
        ],
        "untagged_names": [{"name": name, "line": line} for name, line in found.untagged],
        "conditions_without_name": found.unnamed,
    }


def _table(found: Coverage) -> Iterator[Line]:
    yield Line([Piece(f"{'technique':{_ID}}  conditions  events and names", "quiet")])
    for technique in found.techniques:
        yield Line(_row(technique), _HANG + _ID)
    kept, only_excluded = found.kept, len(found.techniques) - len(found.kept)
    yield Line([])
    said = [f"{many(unique(kept), 'technique')} by {many(sum(technique.includes for technique in kept), 'condition')}"]
    if only_excluded:
        said.append(f"{only_excluded} only in excludes")
    yield Line([Piece("; ".join(said), "value")])
    if found.unnamed:
        yield Line([Piece(f"includes without a name: {many(found.unnamed, 'condition')}", "quiet")])
    if found.untagged:
        listed = ", ".join(f"{visible(name)} (line {line})" for name, line in found.untagged[:10])
        more = f" and {len(found.untagged) - 10} more" if len(found.untagged) > 10 else ""
        yield Line([Piece(f"names without a technique: {listed}{more}", "quiet")], 2)


def _row(technique: Technique) -> list[Piece]:
    count = str(technique.includes) if technique.kept else "-"
    said = [", ".join(technique.tags) if technique.kept else f"only in {technique.excludes} conditions of excludes"]
    said += [visible("; ".join(technique.names))] if technique.names else []
    said += [f"revoked, now {technique.now}"] if technique.now else []
    name = Piece(f"{technique.id:{_ID}}", "name" if technique.kept else "alarm")
    return [name, Piece(f"  {count:>10}  {': '.join(said)}", "value")]
