"""Where entries of other programs' logs come from: made once for all entries that share it."""

from __future__ import annotations

from functools import lru_cache

from pysmon.formats.linux_xml import CHANNEL as LINUX_CHANNEL
from pysmon.formats.linux_xml import PROVIDER as LINUX_PROVIDER
from pysmon.formats.linux_xml import PROVIDER_GUID as LINUX_GUID
from pysmon.schema.entry import Foreign, Origin

PROVIDER = "Microsoft-Windows-Sysmon"
CHANNEL = "Microsoft-Windows-Sysmon/Operational"
PROVIDERS = {PROVIDER: "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}", LINUX_PROVIDER: LINUX_GUID}  # with their guids
_CHANNELS = {PROVIDER: CHANNEL, LINUX_PROVIDER: LINUX_CHANNEL}


@lru_cache(maxsize=4096)
def foreign(provider: str, channel: str, user: str, version: int | None, fields: tuple[str, ...]) -> Foreign:
    """What the log said of an entry beyond its values. `provider` is one of PROVIDERS."""
    return Foreign(provider, PROVIDERS[provider], channel or _CHANNELS[provider], user, version, fields)


@lru_cache(maxsize=4096)
def origin(computer: str, process_id: int, thread_id: int, said: Foreign) -> Origin:
    """The origin of an entry. The user of Sysmon's process is a number on Linux only."""
    user = int(said.user) if said.user.isascii() and said.user.isdigit() and len(said.user) < 20 else 0
    return Origin(computer, process_id, thread_id, user, said)
