"""All fuzz targets: a new parser of foreign bytes gets a file here, and a line in this table."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz import (
    blob,
    cases,
    configuration,
    control,
    dconf,
    dns,
    elf,
    hive,
    hive_log,
    logs,
    module,
    package,
    reg_export,
    settings,
    spill,
    store,
    stored,
    tape,
    triggers,
)
from fuzz.target import Target

_TARGETS = (
    configuration.TARGET,
    blob.TARGET,
    hive.TARGET,
    hive_log.TARGET,
    reg_export.TARGET,
    *logs.TARGETS,
    tape.TARGET,
    dns.TARGET,
    spill.TARGET,
    store.TARGET,
    control.TARGET,
    settings.TARGET,
    stored.TARGET,
    cases.TARGET,
    module.TARGET,
    elf.TARGET,
    package.TARGET,
    triggers.TARGET,
    dconf.TARGET,
)
TARGETS: Mapping[str, Target] = {target.name: target for target in _TARGETS}
