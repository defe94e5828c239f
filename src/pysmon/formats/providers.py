"""The two programs that write Sysmon's events, by the names that their logs give them."""

from __future__ import annotations

from collections.abc import Mapping

from pysmon.formats.linux_xml import CHANNEL as LINUX_CHANNEL
from pysmon.formats.linux_xml import PROVIDER as LINUX
from pysmon.formats.linux_xml import PROVIDER_GUID as LINUX_GUID

WINDOWS = "Microsoft-Windows-Sysmon"
GUIDS: Mapping[str, str] = {WINDOWS: "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}", LINUX: LINUX_GUID}
CHANNELS: Mapping[str, str] = {WINDOWS: "Microsoft-Windows-Sysmon/Operational", LINUX: LINUX_CHANNEL}
