"""What all tests share: the real inputs that lie beside the project, where there are any.

`shared(path)` is the one way to them: ask for the fixture of that name, or `from tests.conftest import shared`.
    def test_x(shared): data = shared("data/configs/a.xml").read_bytes()
It gives a Path, or skips the test by the name of what is absent. `shared_files` is the same for `parametrize`.
The folder is `../shared` beside the project's root, or where PYSMON_SHARED says.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("pysmon", deadline=None)  # how long an example takes depends on the machine
settings.load_profile("pysmon")
# In the background of a script both are ignored, and what tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
if os.environ.get("TERM") == "dumb":  # no bar is drawn there, and tests look at bars
    del os.environ["TERM"]

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("PYSMON_SHARED") or ROOT.parent / "shared")


def shared(path: str) -> Path:
    """The real input of that name (a file or a folder); skips the test where it is absent."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"no {path} in {SHARED}")
    return found


def shared_files(pattern: str) -> list[Any]:
    """The real inputs that match (`data/configs/*.xml`), as parameters named after them; one that skips if none do."""
    found = sorted(SHARED.glob(pattern))
    if found:
        return [pytest.param(p, id=p.name) for p in found]
    return [pytest.param(None, id="absent", marks=pytest.mark.skip(reason=f"no {pattern} in {SHARED}"))]


@pytest.fixture(name="shared")
def _shared() -> Callable[[str], Path]:
    return shared
