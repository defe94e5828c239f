"""What package databases tell of a file."""

from __future__ import annotations

from dataclasses import dataclass

_NONE = "-"


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package; `-` for what its database does not tell."""

    name: str
    version: str = _NONE
    description: str = _NONE  # one line
    maker: str = _NONE

    def __str__(self) -> str:
        """Name and version, as people write them."""
        return self.name if self.version == _NONE else f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Owner:
    """The package that a file belongs to, with the digest of the file as it was packed."""

    package: Package
    algorithm: str  # MD5 or SHA256
    digest: str  # in lower-case hex; empty if the package tells none
