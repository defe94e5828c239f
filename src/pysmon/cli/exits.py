"""The exit codes of pysmon: `run -- COMMAND` passes on the command's own instead."""

from __future__ import annotations

from pysmon.errors import MisuseError, PysmonError, RecordError

FINE = 0
FINDINGS = 1  # something was asked about, and it has errors
MISUSE = 2  # the command line, a configuration, a tape or a log of others is no good
ENVIRONMENT = 3  # rights, kernel, disk: this machine does not let us
INVALID_PARAMETER = 87  # of the classic switches: Sysmon's code for a command line that it does not understand
INTERRUPTED = 130  # as shells say it: 128 + SIGINT
READER_GONE = 141  # as shells say it: 128 + SIGPIPE


def code_for(error: PysmonError) -> int:
    """The exit code that tells of this error."""
    from pysmon.sources.source import SourceError  # only who fails needs what stands behind it

    return MISUSE if isinstance(error, (MisuseError, RecordError, SourceError)) else ENVIRONMENT
