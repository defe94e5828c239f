"""Real logs and configurations under the names that pages of the documentation give them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.conftest import shared

REAL = {
    "psexec.evtx": "evtx/mitre-ID11,13,17,18-PSexec_as_system_execution.evtx",
    "wmi.evtx": "evtx/mitre-ID19-20-WMI_registration_via_PowerLurk.evtx",
    "sticky.evtx": "evtx/mitre-ID1-CMD_executed_via_sticky_key_call.evtx",
    "hosts.evtx": "evtx/mitre-ID11-DNS_hosts_files_modified.evtx",
    "torn.evtx": "evtx/omerbenamram-sysmon.evtx",
    "swiftonsecurity.xml": "configs/swiftonsecurity.xml",
    "sysmon-modular.xml": "configs/sysmon-modular.xml",
    "neo23x0.xml": "configs/neo23x0.xml",
    "main.xml": "configs/mstic-linux-main.xml",
}


def put_real_files(folder: Path) -> None:
    """Copy them there; skips the test where they are absent."""
    for name, real in REAL.items():
        shutil.copy(shared(f"data/{real}"), folder / name)
