"""Files of `pysmon test`: cases, mistakes that are told with their place, or a MisuseError."""

from __future__ import annotations

from pathlib import Path

from fuzz.target import Target, law
from pysmon.errors import MisuseError
from pysmon.workbench.cases import cases_of


def check(data: bytes) -> None:
    """The law."""
    try:
        cases, mistakes = cases_of(data, "tests.yaml", Path())
    except MisuseError:
        return
    law(all(str(mistake.place) and mistake.message for mistake in mistakes), "a mistake without a place or a word")
    law(all(case.name for case in cases), "a case without a name")


TARGET = Target(
    "cases",
    "tests of configurations (YAML)",
    check,
    words=(
        *(
            b"tests:\n",
            b"  - name: ",
            b"    event: {",
            b"EventID: 1",
            b"expect: keep",
            b"rule: ",
            b"log: ",
            b"record: ",
        ),
        *(
            b"&a ",
            b"*a",
            b"<<: ",
            b"!!python/object:",
            b"!!binary ",
            b"? ",
            b"|\n",
            b">-\n",
            b"---\n",
            b"\\ud800",
            b"%YAML 1.1\n",
        ),
    ),
    longest=4096,
)
