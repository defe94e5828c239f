"""Files made to hurt: each gets a clear problem, and costs little memory; nothing that they name is opened."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pysmon.config.decode import LIMIT
from pysmon.config.elements import MOST_ELEMENTS
from pysmon.config.read import read_configuration, read_file
from pysmon.config.report import KEPT

HEAD = b'<Sysmon schemaversion="4.90"><EventFiltering><ProcessCreate onmatch="include">'
MEMORY = 300 * 1024 * 1024  # address space of a reader with all of Python in it

ENTITY_BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE Sysmon [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>
<Sysmon schemaversion="4.90">&c;</Sysmon>"""

FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "an entity bomb": (lambda: ENTITY_BOMB, "C206"),
    "a document type that names a file": (
        lambda: b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>',
        "C206",
    ),
    "a document type without an end": (lambda: b"<!DOCTYPE a [" + b'<!ENTITY a "b">' * 500_000, "C206"),
    "elements 100,000 deep": (lambda: b"<a>" * 100_000, "C102"),
    "elements in elements that are known": (lambda: HEAD + b"<Rule>" * 100_000, "C102"),
    "a million attributes": (lambda: b"<a " + b"".join(b'a%d="" ' % n for n in range(1_000_000)) + b"/>", "C102"),
    "a million attributes with one name": (lambda: b"<a " + b'a="" ' * 1_000_000 + b"/>", "C102"),
    "more elements than anyone writes": (lambda: HEAD + b"<Image/>" * 1_000_000, "C102"),
    "one element more than the limit": (lambda: b"<a>" + b"<b/>" * MOST_ELEMENTS + b"</a>", "C102"),
    "more comments than anyone writes": (lambda: b"<!---->" * 1_000_000, "C102"),
    "an option that never ends": (
        lambda: b'<Sysmon schemaversion="4.90"><FieldSizes>' + b"Image:1," * 100_000 + b"</FieldSizes></Sysmon>",
        "C102",
    ),
    "zeros between letters": (lambda: b"<\0S\0y\0s\0m\0o\0n\0"[::-1] * 100_000, "C204"),
    "zeros in a text": (lambda: HEAD + b"<Image>\0\0</Image></ProcessCreate></EventFiltering></Sysmon>", "C204"),
    "UTF-16 cut in half a unit": (lambda: ("<Sysmon>" + "x" * 5_000_000).encode("utf-16")[:-1], "C104"),
    "half characters": (lambda: b"<Sysmon>" + b"\xed\xa0\x80" * 1_000_000 + b"</Sysmon>", "C104"),
    "a text without an end": (lambda: HEAD + b"<Image>" + b"x" * (LIMIT - 200), "C202"),
    "ampersands without end": (lambda: b"<Sysmon>" + b"&" * 400_000, "C203"),
    "a million signs that open tags": (lambda: b"<" * 1_000_000, "C203"),
    "a million end tags": (lambda: HEAD + b"</x>" * 1_000_000, "C202"),
    "a name as long as the file": (lambda: b"<" + b"a" * (LIMIT - 1), "C201"),
    "blanks as long as the file": (lambda: b"<a" + b" " * (LIMIT - 2), "C201"),
    "a file that is all one comment": (lambda: b"<!--" + b"-" * (LIMIT - 4), "C201"),
    "16 million lines": (lambda: b"<a>" + b"\n" * (LIMIT - 3), "C202"),
    "unknown fields without end": (lambda: HEAD + b"<Imagee/>" * 60_000, "C401"),
    "unknown options without end": (lambda: b'<Sysmon schemaversion="4.90">' + b"<Optionn/>" * 60_000, "C307"),
    "references without end": (lambda: HEAD + b"<Image>" + b"&#65;" * 1_000_000, "C102"),
    "100 MB": (lambda: HEAD.ljust(100_000_000), "C102"),
}


@pytest.mark.parametrize(("make", "code"), FILES.values(), ids=FILES.keys())
def test_it_is_refused_with_a_clear_problem(make: Callable[[], bytes], code: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.xml"
    path.write_bytes(make())
    reading = read_file(path)
    assert reading.configuration is None
    assert code in {problem.code for problem in reading.problems}
    assert len(reading.problems) <= 2 * KEPT + 1
    assert all(max(len(problem.source), len(problem.message)) < 1010 for problem in reading.problems)


WORST = [
    "elements in elements that are known",
    "more elements than anyone writes",
    "16 million lines",
    "half characters",
]


def run_with_little_memory(path: str) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    program = (
        "import sys; from pathlib import Path; from pysmon.config.read import read_file;"
        "print(*{p.code for p in read_file(Path(sys.argv[1])).problems})"
    )
    return subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=False, preexec_fn=limit
    )


@pytest.mark.parametrize("name", [*WORST, "100 MB"])
def test_it_is_refused_with_little_memory(name: str, tmp_path: Path) -> None:
    make, code = FILES[name]
    path = tmp_path / "hostile.xml"
    path.write_bytes(make())
    ran = run_with_little_memory(str(path))
    assert ran.stderr == ""
    assert code in ran.stdout.split()


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero on this system")
def test_a_file_without_end_is_refused_with_little_memory() -> None:
    assert run_with_little_memory("/dev/zero").stdout.split() == ["C102"]


def test_an_entity_that_names_a_file_gives_nothing_of_that_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not read me")
    text = f'<!DOCTYPE Sysmon [<!ENTITY b SYSTEM "{secret.as_uri()}">]><Sysmon schemaversion="4.90">&b;</Sysmon>'
    reading = read_configuration(text.encode(), "a.xml")
    assert "do not read me" not in repr(reading)


def test_after_500_errors_reading_ends() -> None:
    assert codes(b"<a>" + b"<b c=d/>" * (KEPT + 100) + b"</a>") == ["C201"] * KEPT
    assert codes(HEAD + b"<Imag/>" * (KEPT + 100) + b"</ProcessCreate></EventFiltering></Sysmon>") == ["C401"] * KEPT


def test_beyond_a_limit_reading_ends() -> None:
    assert codes(b"<a>" * 70 + b"<b c=d/>&") == ["C102"]


def codes(data: bytes) -> list[str]:
    return [problem.code for problem in read_configuration(data, "a.xml").problems]


def test_problems_beyond_the_500th_are_counted() -> None:
    filters = b"<Image comment=''>x</Image>" * (KEPT + 7)
    reading = read_configuration(HEAD + filters + b"</ProcessCreate></EventFiltering></Sysmon>", "a.xml")
    assert [problem.code for problem in reading.problems] == ["C306"] * KEPT + ["C108"]
    assert reading.problems[-1].message.startswith("7 more")
    assert reading.configuration is not None


def test_an_error_after_500_warnings_is_still_told() -> None:
    filters = b"<Image comment=''>x</Image>" * (KEPT + 7) + b"<Imag/>"
    reading = read_configuration(HEAD + filters + b"</ProcessCreate></EventFiltering></Sysmon>", "a.xml")
    assert "C401" in {problem.code for problem in reading.problems}
    assert reading.configuration is None
