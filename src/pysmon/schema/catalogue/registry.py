"""The registry of Windows. The three events share one tag, RegistryEvent."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time
from pysmon.schema.shape import Before

_BEFORE = (
    Before("3.40", stated_default="include"),
    Before("3.30", stood_after={"EventType": "Image"}),
)


@event(
    id=12,
    symbol="SYSMONEVENT_REG_KEY",
    title="Registry object added or deleted",
    rule="RegistryEvent",
    default="exclude",
    version=2,
    since="3.20",
    live=True,
    history=_BEFORE,
)
class RegistryKey(Event):
    """A registry key or value was added or deleted.

    On Linux: a table of the kernel's settings (a folder below /proc/sys) came or went: with a kernel module, a network
    interface (`net/ipv4/conf/eth0`) or a namespace, which brings some dozens at once. What the kernel does later by
    itself (a namespace without processes goes) is told with the kernel's thread. Seen by fexit only: on kernels that
    allow no such programs there is none. `DeleteValue`: a setting of a desktop (dconf, GSettings) was reset, or is
    gone; see event 13.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field(
        "`CreateKey`, `DeleteKey`, `CreateValue` or `DeleteValue`. On Linux: `CreateKey` or `DeleteKey` of a folder of"
        " the kernel's settings, `DeleteValue` of a setting of a desktop.",
        default="-",
    )
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetObject: Text = field(
        "Path of the key or value. On Linux: the folder, as `SYSCTL\\net\\ipv4\\conf\\eth0`, or the setting, as"
        " `DCONF\\joe\\org\\gnome\\desktop\\screensaver\\lock-enabled`.",
        default="-",
    )
    User: Text = field(since="4.80", default="-")


@event(
    id=13,
    symbol="SYSMONEVENT_REG_SETVALUE",
    title="Registry value set",
    rule="RegistryEvent",
    default="exclude",
    version=2,
    since="3.20",
    live=True,
    history=_BEFORE,
)
class RegistryValueSet(Event):
    """A registry value was set.

    On Linux: a process wrote a setting of the kernel below /proc/sys (`sysctl -w`), and the kernel took it. A read
    makes none, nor does a write that fails, nor what reaches the same setting by another way (sethostname(2), netlink,
    an ioctl), nor the file system binfmt_misc, which only stands at that place.
    JSON adds the value before (`PreviousDetails`), and `Position` where the write began elsewhere than at the
    beginning: the kernel then ignores numbers, and appends texts. It needs a mounted hierarchy of cgroups (v2); in a
    container the sensor sees the writes of its own cgroup and those below. Without fexit (see `doctor`), writes
    by io_uring and by 32-bit system calls are not seen.

    Also: a setting of a desktop was written (dconf, GSettings): the user's database, or one of the machine, was
    replaced, and differs there from what it was. The process is the one that replaced it, which is dconf-service for
    whoever asked it to; JSON says so (`ProcessIs`), and names the `Database`.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`SetValue`.", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetObject: Text = field(
        "Path of the value. On Linux: the setting, as `SYSCTL\\kernel\\core_pattern`, or"
        " `DCONF\\joe\\org\\gnome\\desktop\\screensaver\\lock-enabled`.",
        default="-",
    )
    Details: Text = field(
        "What was written: text, `DWORD (0x00000001)`, or `Binary Data`. On Linux: the text as it was written (numbers,"
        " too), without blanks and line ends around it, at most 511 bytes; `(Empty)` if nothing is left. Of a"
        " desktop: the value as `dconf read` shows it, at most 4096 characters.",
        default="-",
    )
    User: Text = field(since="4.80", default="-")


@event(
    id=14,
    symbol="SYSMONEVENT_REG_NAME",
    title="Registry object renamed",
    rule="RegistryEvent",
    default="exclude",
    version=2,
    since="3.20",
    live=True,
    history=_BEFORE,
)
class RegistryRename(Event):
    """A registry key or value was renamed.

    On Linux: a network interface got another name, and the folders of its settings with it: one event for each
    (`net/ipv4/conf`, `net/ipv4/neigh` and those of IPv6), in place of events 12. Seen by fexit only; on
    the newest kernels (6.18) only where an ioctl does it, while netlink (`ip link set`) makes events 12.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`RenameKey` or `RenameValue`. On Linux: `RenameKey`.", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetObject: Text = field("Path of the key or value under its old name.", default="-")
    NewName: Text = field("Path of the key or value under its new name.", default="-")
    User: Text = field(since="4.80", default="-")
