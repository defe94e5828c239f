"""Where entries of other programs' logs come from: made once for all entries that share it."""

from __future__ import annotations

from functools import lru_cache

from pysmon.formats.providers import CHANNELS, GUIDS, WINDOWS
from pysmon.schema.entry import Foreign, Origin

PROVIDER = WINDOWS
CHANNEL = CHANNELS[WINDOWS]
PROVIDERS = GUIDS


@lru_cache(maxsize=4096)
def foreign(provider: str, channel: str, user: str, version: int | None, fields: tuple[str, ...]) -> Foreign:
    """What the log said of an entry beyond its values. `provider` is one of PROVIDERS."""
    return Foreign(provider, PROVIDERS[provider], channel or CHANNELS[provider], user, version, fields)


@lru_cache(maxsize=4096)
def origin(computer: str, process_id: int, thread_id: int, said: Foreign) -> Origin:
    """The origin of an entry. The user of Sysmon's process is a number on Linux only."""
    user = int(said.user) if said.user.isascii() and said.user.isdigit() and len(said.user) < 20 else 0
    return Origin(computer, process_id, thread_id, user, said)
