"""The systemd unit of the service: one definition, for `pysmon -i` and for the packages of distributions.

Why each line stands here, and which usual ones do not: docs/service.md.
"""

from __future__ import annotations

from collections.abc import Sequence

CAPABILITIES = (
    *("CAP_SYS_ADMIN", "CAP_BPF", "CAP_PERFMON", "CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE"),
    *("CAP_DAC_OVERRIDE", "CAP_FOWNER"),  # to remove a program that may not run, whoever owns its folder
)
MARK = "# Written by pysmon -i; pysmon -u removes it. Changes go into a drop-in: systemctl edit pysmon\n"
_STEPS_SINCE = 254  # the first systemd that knows RestartSteps; older ones would complain of it at each reload

_TEXT = """\
[Unit]
Description=pysmon, a system monitor
DefaultDependencies=no
Wants=sys-kernel-tracing.mount
After=local-fs.target sys-kernel-tracing.mount systemd-journald.socket systemd-tmpfiles-setup.service
Before=basic.target shutdown.target
Conflicts=shutdown.target
RequiresMountsFor=/var/lib/pysmon
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
FileDescriptorStoreMax=1
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
TimeoutStartSec=60
TimeoutStopSec=30
WatchdogSec=60
Restart=on-failure
RestartPreventExitStatus=2
{back_off}
Environment=MALLOC_ARENA_MAX=2
OOMScoreAdjust=-500
LimitCORE=0
LimitMEMLOCK=infinity
LimitNOFILE=16384

StateDirectory=pysmon
StateDirectoryMode=0700
RuntimeDirectory=pysmon
RuntimeDirectoryMode=0700
LogsDirectory=pysmon
LogsDirectoryMode=0700
UMask=0077

CapabilityBoundingSet={capabilities}
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateMounts=yes
PrivateDevices=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service bpf perf_event_open fanotify_init fanotify_mark
SystemCallFilter=~@chown @setuid @keyring @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


def unit_text(program: Sequence[str], *, systemd: int = 0) -> str:
    """The unit that runs `program` (its first word an absolute path) as the service.

    `systemd` is the version that will read it: 0, or one that is not known, gives the text that all understand.
    """
    steps = "RestartSec=2\nRestartSteps=8\nRestartMaxDelaySec=300" if systemd >= _STEPS_SINCE else "RestartSec=10"
    command = " ".join([_word(program[0]), *(_word(word).replace("$", "$$") for word in [*program[1:], "service"])])
    return _TEXT.format(command=command, back_off=steps, capabilities=" ".join(CAPABILITIES))


def _word(word: str) -> str:
    """One word of a command line as systemd reads it; plain ones stay as they are."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    plain = all(c.isalnum() or c in "/._-+=:,@%$" for c in word)
    return escaped if plain else f'"{escaped}"'
