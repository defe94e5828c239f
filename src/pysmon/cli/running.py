"""What `pysmon -c` prints of the running service: its configuration in Sysmon's layout."""

from __future__ import annotations

from pysmon.config.dump import NO_RULES, Running, rules_dump, windows_header
from pysmon.config.model import Configuration, Options
from pysmon.config.read import read_configuration
from pysmon.rules.ruleset import Ruleset
from pysmon.service.install import NAME
from pysmon.service.wire import ConfigurationInUse

_NETWORK, _IMAGE_LOAD = 3, 7  # event ids


def dump_of(used: ConfigurationInUse) -> str:
    """All that Sysmon tells of a configuration in use; where there is none, its defaults."""
    configuration = read_configuration(used.data, used.name).configuration if used.data else None
    rules = rules_dump(configuration) if configuration else NO_RULES
    return windows_header(_running(used, configuration)) + rules


def _running(used: ConfigurationInUse, configuration: Configuration | None) -> Running:
    ruleset = Ruleset.compile(configuration)
    options = configuration.options if configuration else Options()
    return Running(
        service_name=NAME,
        driver_name="-",  # the kernel's part has no name that one could look for
        config_file=used.name,
        config_hash=f"SHA256={used.sha256}" if used.sha256 else "",
        field_sizes=",".join(f"{field}:{size}" for field, size in options.field_sizes.items()),
        hash_algorithms=",".join(options.hash_algorithms or ("SHA256",)),
        network_connection=ruleset.wants(_NETWORK),
        archive_directory=f"\\{options.archive_directory}\\" if options.archive_directory else "-",
        image_loading=ruleset.wants(_IMAGE_LOAD),
        crl_checking=bool(options.check_revocation),
        dns_lookup=options.dns_lookup is not False,
    )
