"""What `--json` prints: one document on standard output, whatever texts are in it."""

from __future__ import annotations

import click
import msgspec

from pysmon.formats.json_line import encodable_value, quiet


def put_document(document: object, *, indented: bool = False) -> None:
    """Print a document of plain values. Texts that are not UTF-8, such as names of files, are spelled out (`\\xff`)."""
    click.echo(json_document(document, indented=indented))


def json_document(document: object, *, indented: bool = False) -> bytes:
    """The same as bytes, without the newline at its end."""
    try:
        data = msgspec.json.encode(document, enc_hook=str)
    except UnicodeEncodeError:
        data = msgspec.json.encode(encodable_value(msgspec.to_builtins(document, enc_hook=str)))
    data = msgspec.json.format(data, indent=2) if indented else data
    return data if data.isascii() else quiet(data)
