"""What follows from a configuration for a run: made whole beside the running one, then put in its place at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.assemble.service import configuration_change
from pysmon.config.model import Configuration
from pysmon.host.errands import Errands
from pysmon.host.hashes import Hashes
from pysmon.host.users import Users
from pysmon.pipeline.files import Files
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import ConfigurationChange

_FAMILY_OF_EVENT = {
    2: "file time",
    3: "network",
    8: "injection",
    9: "raw access",
    10: "process access",
    11: "file create",
    12: "sysctl",
    13: "sysctl",
    14: "sysctl",
    15: "xattr",
    17: "pipe",
    18: "pipe",
    22: "dns",
    23: "file delete",
    26: "file delete",
    25: "tampering",
    100: "bpf",
}
_ALGORITHMS = ("SHA256",)  # where a configuration names none


@dataclass(frozen=True, slots=True)
class Policy:
    """A configuration that was compiled: its rules, and what the sensor must tell for them."""

    configuration: Configuration | None
    ruleset: Ruleset
    families: frozenset[str]  # of records that the rules can keep an event of

    @classmethod
    def of(cls, configuration: Configuration | None) -> Policy:
        """Compile. None stands for what Sysmon does without a configuration."""
        ruleset = Ruleset.compile(configuration)
        wanted = frozenset(family for i, family in _FAMILY_OF_EVENT.items() if ruleset.wants(i))
        return cls(configuration, ruleset, wanted)

    def enricher(
        self, builder: Builder, users: Users, errands: Errands, *, extras: bool, files: Files | None = None
    ) -> Enricher:
        """What adds the facts that this configuration asks for to events; `extras` are those that only JSON shows."""
        options = self.configuration.options if self.configuration else None
        algorithms = options.hash_algorithms if options and options.hash_algorithms else _ALGORITHMS
        sizes: Mapping[str, int] = options.field_sizes if options else {}
        hashes = Hashes(algorithms, errands=errands)
        return Enricher(
            builder.processes,
            users,
            hashes,
            field_sizes=sizes,
            reads=self.ruleset.reads,
            extras=extras,
            errands=errands,
            contents=files.contents(hashes, self.ruleset, options) if files else None,
        )

    def told(self, time: int) -> ConfigurationChange:
        """Event 16: this configuration holds from `time` on (ns since 1970)."""
        if self.configuration is None:
            return configuration_change(time, "Defaults")
        return configuration_change(time, self.configuration.file, f"SHA256={self.configuration.sha256}")
