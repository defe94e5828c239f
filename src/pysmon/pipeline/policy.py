"""What follows from a configuration for a run: made whole beside the running one, then put in its place at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.assemble.provenance import Provenance
from pysmon.assemble.service import configuration_change
from pysmon.config.model import Configuration
from pysmon.host.errands import Errands
from pysmon.host.hashes import Hashes
from pysmon.host.packages import Packages
from pysmon.host.runtime_files import Containers
from pysmon.host.symbols import Symbols
from pysmon.host.users import Users
from pysmon.pipeline.beside import Beside
from pysmon.pipeline.pushdown import Approvers, approvals_of, approvers_of
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import ConfigurationChange, ImageLoad
from pysmon.sensor.pushdown import Approval

EVENTS_OF_FAMILY = {  # ids of the events that are made of its records
    "network": (3,),
    "file time": (2,),
    "module": (6,),
    "image load": (7,),
    "injection": (8,),
    "raw access": (9,),
    "process access": (10,),
    "file create": (11, 12, 13, 19, 20, 21),
    "sysctl": (12, 13, 14),
    "xattr": (15,),
    "pipe": (17, 18),
    "dns": (22,),
    "file delete": (19, 20, 21, 23, 26),
    "tampering": (25,),
    "bpf": (100,),
}
_ALGORITHMS = ("SHA256",)  # where a configuration names none


@dataclass(frozen=True, slots=True)
class Policy:
    """A configuration that was compiled: its rules, and what the sensor must tell for them."""

    configuration: Configuration | None
    ruleset: Ruleset
    families: frozenset[str]  # of records that the rules can keep an event of
    approvers: Approvers = field(default_factory=dict)  # what such records must meet
    approvals: Mapping[str, Approval] = field(default_factory=dict)  # so much of it as the kernel can tell

    @classmethod
    def of(cls, configuration: Configuration | None) -> Policy:
        """Compile. None stands for what Sysmon does without a configuration."""
        ruleset = Ruleset.compile(configuration)
        approvers = approvers_of(ruleset, EVENTS_OF_FAMILY)
        return cls(configuration, ruleset, frozenset(approvers), approvers, approvals_of(approvers))

    def enricher(
        self, builder: Builder, users: Users, errands: Errands, *, extras: bool, beside: Beside | None = None
    ) -> Enricher:
        """What adds the facts that this configuration asks for to events; `extras` are those that only JSON shows."""
        options = self.configuration.options if self.configuration else None
        algorithms = options.hash_algorithms if options and options.hash_algorithms else _ALGORITHMS
        sizes: Mapping[str, int] = options.field_sizes if options else {}
        hashes, packages = Hashes(algorithms, errands=errands), Packages()
        return Enricher(
            builder.processes,
            users,
            hashes,
            field_sizes=sizes,
            reads=self.ruleset.reads,
            extras=extras,
            errands=errands,
            symbols=Symbols(),
            containers=Containers(),
            contents=beside.contents(hashes, self.ruleset, options) if beside else None,
            clips=beside.clips(hashes, self.ruleset) if beside else None,
            provenance=Provenance(hashes, packages, errands, early=self.ruleset.wants(ImageLoad.type.id)),
        )

    def told(self, time: int) -> ConfigurationChange:
        """Event 16: this configuration holds from `time` on (ns since 1970)."""
        if self.configuration is None:
            return configuration_change(time, "Defaults")
        return configuration_change(time, self.configuration.file, f"SHA256={self.configuration.sha256}")
