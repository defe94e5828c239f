"""`pysmon merge`, `pysmon convert` and `pysmon split`: configurations made of configurations."""

from __future__ import annotations

from collections.abc import Iterable
from errno import ENOTDIR
from os import strerror
from pathlib import Path

import click

from pysmon.cli.configuration import given
from pysmon.cli.deliver import STDOUT, deliver, must_have_a_name
from pysmon.cli.document import put_document
from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.inputs import STDIN
from pysmon.cli.telling import tell_all
from pysmon.errors import MisuseError
from pysmon.formats.visible import visible
from pysmon.schema.version import SchemaVersion
from pysmon.workbench.convert import convert
from pysmon.workbench.edit import Note
from pysmon.workbench.merge import merge
from pysmon.workbench.split import split

_MERGE_EXAMPLES = """\b
Examples:
  pysmon merge ours.xml theirs.xml -o both.xml
  pysmon merge modules/*.xml | pysmon lint -

\b
Exit code: 0 the result does what the parts do together, 1 something is told that it does not, 2 a file cannot be used,
3 the result cannot be written.
"""
_CONVERT_EXAMPLES = """\b
Examples:
  pysmon convert config.xml --to-version 4.50 -o old.xml
  pysmon convert config.xml --to-version 4.90 | pysmon check -

\b
Exit code: 0 the result means the same, 1 something was lost and is told, 2 the file cannot be used, 3 the result
cannot be written.
"""
_SPLIT_EXAMPLES = """\b
Examples:
  pysmon split config.xml -o modules
  pysmon merge modules/*.xml -o config.xml

\b
Exit code: 0, 2 if the file cannot be used or files are there already, 3 if they cannot be written.
"""
_OUTPUT = click.option("-o", "--output", metavar="FILE", default=STDOUT, help="Where to write; `-` is standard output.")
_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON document, with the XML in it unless -o is given."
)


@click.command("merge", epilog=_MERGE_EXAMPLES)
@click.argument("configs", metavar="CONFIG...", nargs=-1, required=True)
@_OUTPUT
@_JSON
def merge_command(configs: tuple[str, ...], output: str, as_json: bool) -> int:
    """Make one configuration of several: one include and one exclude element for each event.

    An event is dropped if an exclude of any of them matches, else kept if an include of any matches. Comments go along.
    What the result cannot do as its parts did is told on standard error.
    """
    if configs.count(STDIN) > 1:
        raise click.UsageError("standard input (-) can be read only once")
    made = merge([given(name) for name in configs])
    return _finish(made.text, made.notes, output, as_json=as_json)


@click.command("convert", epilog=_CONVERT_EXAMPLES)
@click.argument("config", metavar="CONFIG")
@click.option("--to-version", metavar="VERSION", required=True, help="The schema version, 4.20 or newer.")
@_OUTPUT
@_JSON
def convert_command(config: str, to_version: str, output: str, as_json: bool) -> int:
    """Rewrite a configuration for another schema version, newer or older.

    What the version does not know is said otherwise where that means the same; else it is left out, with all that would
    match more without it, and told on standard error with its line.
    """
    try:
        version = SchemaVersion.parse(to_version)
    except ValueError as error:
        raise MisuseError(f"{to_version!r} is no schema version", hint="one like 4.90") from error
    made = convert(*given(config), version)
    return _finish(made.text, made.notes, output, as_json=as_json)


@click.command("split", epilog=_SPLIT_EXAMPLES)
@click.argument("config", metavar="CONFIG")
@click.option(
    "-o", "--output", metavar="FOLDER", required=True, help="Where to write the files; it is made if need be."
)
@click.option("--force", is_flag=True, help="Write over files that are there already.")
@click.option("--json", "as_json", is_flag=True, help="Print the names of the files as a JSON document.")
def split_command(config: str, output: str, force: bool, as_json: bool) -> int:
    """Make several configurations of one: a file for each event, and one for the options.

    Each can be used alone, and `pysmon merge` makes the whole of them again.
    """
    must_have_a_name(output)
    if output == STDOUT:
        raise MisuseError("several files cannot be written to standard output", hint="-o FOLDER")
    files = split(*given(config))
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(ENOTDIR, strerror(ENOTDIR), output)
    there = [name for name in files if (folder / name).exists()]
    if there and not force:
        raise MisuseError(f"{folder / there[0]} is there already", hint="another folder, or --force")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        deliver(text.encode(), str(folder / name))
    names = [str(folder / name) for name in files]
    if as_json:
        put_document({"files": names})
    else:
        click.echo("\n".join(map(visible, names)))
    return FINE


def _finish(text: str, notes: Iterable[Note], output: str, *, as_json: bool) -> int:
    """Write the result, tell what there is to tell, and say whether anything was lost."""
    notes = list(notes)
    if not as_json or output != STDOUT:
        deliver(text.encode(), output)
    if as_json:
        rows = [{**_place(note), "message": note.what, "lost": note.lost} for note in notes]
        put_document({"notes": rows} | ({"xml": text} if output == STDOUT else {}))
    else:
        tell_all(f"{note.place}: {'lost' if note.lost else 'note'}: {note.what}" for note in notes)
    return FINDINGS if any(note.lost for note in notes) else FINE


def _place(note: Note) -> dict[str, object]:
    return {"file": note.place.file, "line": note.place.line, "column": note.place.column}
