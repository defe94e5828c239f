"""What fuzzing reached, kept: small inputs, a zip for each target, that tests try and that further fuzzing begins with.

    PYSMON_SHARED=/nonexistent python -m fuzz.run --seconds 600
    python -m fuzz.corpus          packs what that left in build/fuzz/corpus into fuzz/corpus

Without the real inputs beside the project everything in it comes from our own seeds. Of each target the smallest inputs
are kept: each of them reached code that none before it had.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent / "corpus"
MOST, LARGEST = 40, 4096  # inputs of a target, bytes of one


def kept(target: str, folder: Path = HERE) -> Iterator[tuple[str, bytes]]:
    """The inputs that are kept for a target, by name."""
    path = folder / f"{target}.zip"
    if path.exists():
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name, archive.read(name)


def keep(found: Path, target: str, folder: Path = HERE) -> int:
    """Keep the smallest inputs of a folder; how many."""
    inputs = sorted(
        (p for p in found.iterdir() if p.stat().st_size <= LARGEST), key=lambda p: (p.stat().st_size, p.name)
    )
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{target}.zip", "w") as archive:
        for number, path in enumerate(inputs[:MOST]):
            archive.writestr(zipfile.ZipInfo(f"{number:02}"), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return len(inputs[:MOST])


def main() -> None:
    """Keep what the latest runs reached."""
    for found in sorted((ROOT / "build" / "fuzz" / "corpus").iterdir()):
        sys.stdout.write(f"{found.name}: {keep(found, found.name)} inputs\n")


if __name__ == "__main__":
    main()
