"""Write the reference pages from the definitions: events, conditions, schema versions, problems, the command line.

`python tools/docs.py` writes docs/reference; `--check` writes nothing and exits 1 if a page is not what it should be.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pysmon.cli.app import app
from pysmon.cli.usage import usage
from pysmon.config.codes import CODES
from pysmon.lint.check import filtering
from pysmon.lint.checks import CHECKS
from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.conditions import CONDITIONS, DEFAULT_CONDITION
from pysmon.schema.event import EVENTS, EventType
from pysmon.schema.kinds import Kind
from pysmon.schema.lookup import by_tag
from pysmon.schema.shape import HIDDEN, Before
from pysmon.schema.versions import SCHEMAS

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
_COLUMNS = 100
_AROUND = filtering("{}").split("{}")
_EXAMPLE = 160  # characters of a line of an example
MARK = "<!-- Written by tools/docs.py from the definitions in src/pysmon: change those, then run it. -->"


def pages() -> dict[str, str]:
    """Every page by its path below docs/reference."""
    return {
        "index.md": _index(),
        "events/index.md": _events_index(),
        **{_file(made): _event_page(made) for made in EVENTS.values()},
        "conditions.md": _conditions(),
        "schemas.md": _schemas(),
        "problems.md": _problems(),
        "lint.md": _lint(),
        "command-line.md": _command_line(),
    }


def stale(folder: Path = REFERENCE) -> list[str]:
    """The pages that are missing, differ from what the definitions say, or belong to no event any more."""
    wanted = pages()
    differ = [name for name, text in wanted.items() if _text(folder / name) != text]
    left = [f"events/{p.name}" for p in sorted((folder / "events").glob("*.md")) if f"events/{p.name}" not in wanted]
    return differ + left


def write(folder: Path = REFERENCE) -> list[str]:
    """Bring all pages up to date; the names of those that changed."""
    changed, wanted = stale(folder), pages()
    for name in changed:
        path = folder / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
        else:
            path.unlink()
    return changed


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _file(made: EventType) -> str:
    return f"events/{made.id:03}-{made.cls.__name__}.md"


def _page(*parts: str) -> str:
    return "\n\n".join([MARK, *(p for p in parts if p)]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _paragraph(text: str) -> str:
    return " ".join(text.split())


def _prose(text: str) -> str:
    """Plain text as Markdown: `<` and `&` would be taken for HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _code(text: str) -> str:
    return f"`{text}`" if text else "-"


def _index() -> str:
    return _page(
        "# Reference",
        "These pages are written from the definitions in the code, so they say what this version does.",
        "- [Events](events/index.md): what is logged, and what each field means\n"
        "- [Conditions](conditions.md): how a rule compares\n"
        "- [Rules](rules.md): how conditions make a verdict, quirk by quirk\n"
        "- [Problems of configurations](problems.md): every error and warning of `pysmon check`, with an example\n"
        "- [Findings of lint](lint.md): every finding of `pysmon lint`, with an example and what puts it right\n"
        "- [Schema versions](schemas.md): which there have been\n"
        "- [Command line](command-line.md): what `--help` prints",
    )


def _events_index() -> str:
    rows = [
        (
            str(t.id),
            f"[{t.title}]({_file(t).removeprefix('events/')})",
            _code(t.tag),
            _yes(t.live),
            _yes(t.target != "linux"),
            str(t.since),
        )
        for t in sorted(EVENTS.values(), key=lambda t: t.id)
    ]
    kinds = {f.kind.name: f.kind for t in EVENTS.values() for f in t.fields}
    return _page(
        "# Events",
        "What Sysmon logs, and what of it pysmon's own sensor makes on a Linux machine today. An event that the sensor"
        " does not make is known all the same, so that a configuration that was written for Windows can be read and"
        " used.",
        _table(("Id", "Event", "Tag in a configuration", "Made live on Linux", "In logs of Windows", "Since"), rows),
        "The tag is the element of a configuration that filters the event. Events without one are always logged.",
        "## Kinds of fields",
        _table(("Kind", "In Sysmon's manifest", "Values"), (_kind(k) for k in kinds.values())),
    )


def _kind(kind: Kind) -> tuple[str, str, str]:
    types = f"`{kind.in_type}`" + (f", `{kind.out_type}`" if kind.out_type else "")
    return kind.name, types, kind.doc


def _event_page(made: EventType) -> str:
    what, _, linux = made.doc.partition("\n\n")
    name = made.cls.__name__
    return _page(
        f"# {made.id}: {made.title}",
        _paragraph(what),
        _paragraph(linux).replace("On Linux:", "**On Linux:**", 1),
        _table(("", ""), _event_facts(made)),
        "## Fields",
        _table(
            ("Field", "Kind", "Since", "Meaning"),
            ((f"`{f.name}`", f.kind.name, str(f.since), f.doc) for f in made.fields),
        ),
        "\n".join(["## Before", "", *_history(made)]) if made.history else "",
        f"In Python: `from pysmon.schema.catalogue import {name}`.",
    )


def _event_facts(made: EventType) -> list[tuple[str, str]]:
    others = [str(t.id) for t in by_tag(made.tag) if t is not made]
    shared = f", shared with {' and '.join(others)}" if others else ""
    return [
        ("Tag in a configuration", f"`{made.tag}`{shared}" if made.tag else "none: it is always logged"),
        ("Without a rule for it", "logged" if made.default == "include" or not made.tag else "not logged"),
        ("Since schema version", str(made.since)),
        ("Platforms", {"all": "Windows, Linux", "windows": "Windows", "linux": "Linux"}[made.target]),
        ("Made live on Linux", _yes(made.live)),
        ("Level", made.level),
        ("Version of the event", str(made.version)),
        ("Symbol", f"`{made.symbol}`"),
    ]


def _history(made: EventType) -> list[str]:
    told = [f"- Before {change.until}: {'; '.join(said)}." for change in made.history if (said := _differences(change))]
    return told or ["- Only its place in the manifest was another."]


def _differences(change: Before) -> list[str]:
    said = []
    if change.id is not None and change.id >= HIDDEN:
        said.append(f"hidden, with the id `{change.id:#x}`")
    if change.title is not None:
        said.append(f'called "{change.title}"')
    if change.tag == "":
        said.append("no tag")
    if change.stated_default is not None:
        said.append("logged without a rule" if change.stated_default == "include" else "not logged without a rule")
    if change.version is not None:
        said.append(f"version {change.version}")
    said += [f"`{g.name}` {f'after `{g.after}`' if g.after else 'as the first field'}" for g in change.had]
    said += [f"no `{name}`" for name in change.had_not]
    said += [f"`{name}` stood after `{other}`" for name, other in change.stood_after.items()]
    return said


def _conditions() -> str:
    sections = [
        f"## {c.word}\n\nSince schema version {c.since}. {c.doc}" + (f"\n\n**Mind:** {c.quirk}" if c.quirk else "")
        for c in CONDITIONS
    ]
    return _page(
        "# Conditions",
        'What `condition="..."` of a field may be, and what exactly it asks. Below, F is the value of the field in the'
        f" event and R the text of the rule. Where a rule names no condition, `{DEFAULT_CONDITION}` holds.",
        "- All comparisons are of text, those of numbers too: `443`, `0x1410`, `true`.\n"
        "- The letters A to Z and a to z are the same; other letters are compared as they are.\n"
        "- Spaces count, in F and in R.\n"
        "- A field without a value reads `-`.",
        *sections,
    )


def _schemas() -> str:
    rows = [
        (s.written, s.binary, s.sysmon or "not known", ", ".join(sorted(s.platforms)), s.note)
        for s in reversed(SCHEMAS)
    ]
    return _page(
        "# Schema versions",
        "The schema versions that there have been. A configuration names one in `schemaversion`; `-s VERSION` prints"
        " the schema, `-s all` all of them.",
        _table(("Version", "Version of the compiled rules", "Came with Sysmon", "Platforms", "Note"), rows),
        "Schemas before 4.81 on Linux are those that Sysmon for Linux carries along for old configurations; they show"
        " the options and events of Sysmon's internal build. Those before 4.90 on Windows are the same without these.",
    )


def _problems() -> str:
    sections = []
    for code in CODES.values():
        sections.append(f"## {code.code}: {_prose(code.title)}\n\n{code.severity.capitalize()}. {_prose(code.doc)}")
        if code.example.strip():
            sections.append(f"```xml\n{code.example.rstrip()}\n```")
    return _page(
        "# Problems of configurations",
        "What can be wrong with a configuration. Reading never stops at the first problem: all are told at once, each"
        " with its place. An error keeps the configuration from being used; a warning tells of what is probably not"
        " meant, or of what other versions of Sysmon take in another way.",
        *sections,
    )


def _lint() -> str:
    sections: list[str] = []
    for check in CHECKS.values():
        title = f"## {check.code}: {_prose(check.title)}"
        sections.append(f"{title}\n\n{check.severity.capitalize()}. {_prose(check.doc)}")
        sections.append(f"```xml\n{_short(check.bad)}\n```")
        sections.append(f"Put right:\n\n```xml\n{_short(check.good)}\n```")
    return _page(
        "# Findings of lint",
        "What `pysmon lint` finds in configurations that are valid and still not what was meant. An error is certain to"
        " do something else than it says; a warning probably does; a note tells of what may be meant so, and costs or"
        " hides something. [Lint](../lint.md) says how it is used.",
        "The examples stand inside `<EventFiltering>`; `pysmon explain-problem CODE` prints them as whole files.",
        *sections,
    )


def _short(example: str) -> str:
    """What an example has inside <EventFiltering>, if nothing around it matters; its longest lines are cut."""
    text = example.removeprefix(_AROUND[0]).removesuffix(_AROUND[1]) if example.startswith(_AROUND[0]) else example
    lines = text.rstrip().split("\n")
    return "\n".join(line if len(line) <= _EXAMPLE else f"{line[: _EXAMPLE - 3]}..." for line in lines)


def _command_line() -> str:
    asked: dict[str, Any] = {"resilient_parsing": True, "terminal_width": _COLUMNS}
    with app.make_context("pysmon", [], **asked) as context:
        helps = [("pysmon", app.get_help(context))]
        for name in app.list_commands(context):
            command = app.commands[name]
            with command.make_context(name, [], parent=context, **asked) as inner:
                helps.append((f"pysmon {name}", command.get_help(inner)))
    sections = [f"## {name}\n\n```text\n{text}\n```" for name, text in helps]
    classic = f"## Sysmon's own switches\n\nWhat `pysmon -?` prints:\n\n```text\n{usage()}```"
    return _page("# Command line", "What `--help` prints.", *sections, classic)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or with --check only compare; the exit status."""
    parser = argparse.ArgumentParser(description="Write docs/reference from the definitions.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the pages that are stale")
    check = parser.parse_args(arguments).check
    changed = stale() if check else write()
    for name in changed:
        print(f"docs/reference/{name} {'is stale: run python tools/docs.py' if check else 'written'}")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
