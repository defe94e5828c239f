"""Sysmon, in Python: a system monitor that speaks Sysmon's language.

    import pysmon
    for event in pysmon.watch(config="config.xml", scope=pysmon.Scope.of_tree(4711)):
        print(event.UtcTime, event.type.title)

What stands here is the library's front door; it is opened when it is used, so that importing the package stays cheap
and its parts that need nothing (the record layouts, when the package is built) can be had without the rest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pysmon.release import VERSION

if TYPE_CHECKING:
    from pysmon.errors import MisuseError, PysmonError, SensorError
    from pysmon.pipeline.watch import watch
    from pysmon.schema.event import Event
    from pysmon.sensor.scope import Scope

__version__ = VERSION
__all__ = ["Event", "MisuseError", "PysmonError", "Scope", "SensorError", "__version__", "watch"]

_HOMES = {
    "Event": "pysmon.schema.event",
    "MisuseError": "pysmon.errors",
    "PysmonError": "pysmon.errors",
    "Scope": "pysmon.sensor.scope",
    "SensorError": "pysmon.errors",
    "watch": "pysmon.pipeline.watch",
}


def __getattr__(name: str) -> Any:
    """Fetch a public name from its home."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
