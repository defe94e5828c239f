"""The house keeps its floors (docs/design/house.md): who may import whom, what a file is called, how long it is."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from tests.conftest import ROOT

SOURCE = ROOT / "src"
FLOORS = {
    "compiled": 1,
    "signalled": 1,
    "errors": 1,
    "release": 1,
    **dict.fromkeys(["schema", "layout"], 2),
    **dict.fromkeys(["sensor", "host", "config", "formats", "store"], 3),
    **dict.fromkeys(["assemble", "rules", "sinks", "sources", "tracer", "viewer", "views"], 4),
    **dict.fromkeys(["pipeline", "lint", "workbench"], 5),
    "service": 6,
    "cli": 7,
    **dict.fromkeys(["__main__", "__init__"], 8),
}
FORBIDDEN_NAMES = {"utils", "util", "common", "core", "helpers", "helper", "manager", "base", "misc"}
LONGEST_FILE = 400  # lines
PURE = {"errors", "schema", "layout", "config", "formats", "rules", "assemble", "views"}  # they never ask the clock
CLOCKS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "clock_gettime", "now", "utcnow", "today"}


def sources(top: Path = SOURCE) -> dict[str, str]:
    """Every module of pysmon by its dotted name; a package's own file counts as `package.__init__`."""
    return {".".join(p.relative_to(top).with_suffix("").parts): p.read_text() for p in sorted(top.rglob("*.py"))}


def part(module: str) -> str:
    """The part of the house that a module belongs to: `pysmon.rules.ruleset` -> `rules`."""
    return module.split(".")[1]


def imports(module: str, text: str, modules: Iterable[str]) -> Iterator[str]:
    """The modules of pysmon that a module imports, wherever in its text, for types only or not."""
    known = set(modules)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            wanted = [(a.name, "") for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = module.rsplit(".", node.level)[0] if node.level else ""
            origin = ".".join(filter(None, [package, node.module]))
            wanted = [(origin, a.name) for a in node.names]
        else:
            continue
        for origin, name in wanted:
            if origin.split(".")[0] == "pysmon":
                candidates = [f"{origin}.{name}.__init__", f"{origin}.{name}", f"{origin}.__init__", origin]
                yield next((c for c in candidates if c in known), origin)


def breaches(texts: Mapping[str, str]) -> list[str]:
    """Every import that does not lead down: `pysmon.rules.x imports pysmon.cli.y`."""
    found = []
    for module, text in texts.items():
        for wanted in imports(module, text, texts):
            here, there = part(module), part(wanted)
            if here != there and FLOORS[there] >= FLOORS[here]:
                found.append(f"{module} (floor {FLOORS[here]}) imports {wanted} (floor {FLOORS[there]})")
    return found


def circle(texts: Mapping[str, str]) -> list[str]:
    """Modules that import each other in a circle, or nothing."""
    graph = {m: [w for w in imports(m, t, texts) if w != m] for m, t in texts.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as e:
        return list(e.args[1])
    return []


def calls(text: str, names: set[str]) -> list[str]:
    """The calls of functions or methods of these names, as they are written."""
    found = (n.func for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call))
    return [ast.unparse(f) for f in found if ast.unparse(f).rsplit(".", 1)[-1] in names]


def test_every_part_of_the_house_has_a_floor() -> None:
    assert {part(m) for m in sources()} <= FLOORS.keys()


def test_a_file_imports_only_from_lower_floors() -> None:
    assert breaches(sources()) == []


def test_there_are_no_circles() -> None:
    assert circle(sources()) == []


@pytest.mark.parametrize(
    "line",
    [
        "from pysmon.cli.run import x",
        "from pysmon.rules.ruleset import y",
        "import pysmon.pipeline",
        "from ..rules import y",
        "def f():\n    from pysmon import cli",
        "if TYPE_CHECKING:\n    from pysmon.cli import run",
    ],
)
def test_an_import_that_leads_up_or_across_is_found(line: str) -> None:
    texts = {"pysmon.sinks.x": line, "pysmon.cli.run": "", "pysmon.cli.__init__": "", "pysmon.rules.ruleset": ""}
    assert len(breaches(texts | {"pysmon.rules.__init__": "", "pysmon.pipeline.__init__": ""})) == 1


@pytest.mark.parametrize("line", ["from pysmon.errors import Place", "from .y import z", "import os", "import lxml"])
def test_an_import_that_leads_down_or_stays_in_the_folder_is_not_a_breach(line: str) -> None:
    assert breaches({"pysmon.sinks.x": line, "pysmon.sinks.y": "", "pysmon.errors": ""}) == []


def test_a_circle_is_found() -> None:
    assert circle({"pysmon.rules.a": "from pysmon.rules import b", "pysmon.rules.b": "from .a import x"})


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    names = {n for p in SOURCE.rglob("*.py") for n in p.relative_to(SOURCE).with_suffix("").parts}
    assert names & FORBIDDEN_NAMES == set()


def test_no_file_is_longer_than_a_few_screens() -> None:
    files = [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.bpf.[ch]"), *(ROOT / "tools").glob("*.py")]
    lengths = {str(p.relative_to(ROOT)): p.read_text().count("\n") for p in files}
    assert {p: n for p, n in lengths.items() if n > LONGEST_FILE} == {}


def test_every_module_says_in_its_first_line_what_it_is() -> None:
    folders = ["src", "tests", "tools", "bench"]
    texts = {p: p.read_text() for folder in folders for p in sorted((ROOT / folder).rglob("*.py"))}
    silent = [str(p.relative_to(ROOT)) for p, text in texts.items() if text and not ast.get_docstring(ast.parse(text))]
    assert silent == []


def test_only_the_command_line_prints_or_exits() -> None:
    spoken = {m: calls(t, {"print", "exit"}) for m, t in sources().items() if FLOORS[part(m)] < FLOORS["cli"]}
    assert {m: c for m, c in spoken.items() if c} == {}


def test_the_pure_floors_never_ask_the_clock() -> None:
    asked = {m: calls(t, CLOCKS) for m, t in sources().items() if part(m) in PURE}
    assert {m: c for m, c in asked.items() if c} == {}
