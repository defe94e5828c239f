"""Pages of the documentation with samples: their files are written into a folder, and their commands run there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.cli.calls import Caller
from tests.conftest import ROOT

_FILE = re.compile(r"```xml\n(<!-- (\S+) -->\n.*?)```", re.DOTALL)
_SAMPLE = re.compile(r"```console\n\$ pysmon ([^\n]*)\n(.*?)```", re.DOTALL)


class Page:
    """A page in `docs`: a block of XML that begins with a comment is a file of that name."""

    def __init__(self, name: str) -> None:
        text = (ROOT / "docs" / name).read_text()
        self.files: dict[str, str] = {name: content for content, name in _FILE.findall(text)}
        self.samples: list[tuple[str, str]] = _SAMPLE.findall(text)

    def write(self, folder: Path) -> None:
        """Write its files."""
        for name, text in self.files.items():
            (folder / name).write_text(text)

    def differing(self, pysmon: Caller) -> list[tuple[str, str]]:
        """Run all samples in order in this folder; those that print something else, with what they print."""
        found = []
        for command, shown in self.samples:
            answer = pysmon(*shlex.split(command))
            if answer.err + answer.out != shown:
                found.append((command, answer.err + answer.out))
        return found
