"""What a field means wherever it appears: the words for fields that have none of their own in their event's class."""

from __future__ import annotations

from collections.abc import Mapping

WHEN_TOLD = (
    "When it happened, in UTC: `YYYY-MM-DD HH:MM:SS.mmm`. On Linux: when pysmon learned of it (fanotify tells no"
    " time), so a moment later; what was done with the file at once may stand before it."
)
SHARED: Mapping[str, str] = {
    "RuleName": "Name of the rule that kept the event: of the condition, else of the `Rule`, else of the `RuleGroup`"
    " around it; `-` if none of them has a name.",
    "EventType": "Which of the operations that share this event it was.",
    "UtcTime": "When it happened, in UTC: `YYYY-MM-DD HH:MM:SS.mmm`. On Linux: the time of the kernel hook, not of the"
    " writing.",
    "ProcessGuid": "Identity of the process: unlike its id it is never used again, on no machine. On Linux: 4 bytes of"
    " the machine id, 4 bytes with the second in which the process was made, and 8 bytes that are a hash of the boot,"
    " the start in ns, the id, and the number of programs that the process ran so far: a process that runs another"
    " program gets another ProcessGuid.",
    "ProcessId": "Id of the process. On Linux: as the initial PID namespace numbers it (of the thread group).",
    "Image": "Full path of the program that the process runs. On Linux: the file that the kernel executes, as seen in"
    " the mount namespace of the process; ` (deleted)` at the end if the file had no name any more;"
    " `<unknown process>` if nothing is known of the process.",
    "User": "Account of the process. On Windows `DOMAIN\\name`; on Linux the name of its (real) user id, or the number"
    " if it has no name; `-` if nothing is known of the process.",
    "Hashes": "Digests of the file's content: `SHA1=..,MD5=..,SHA256=..,IMPHASH=..`, those that `HashAlgorithms`"
    " selects, always in this order. On Linux: in lower-case hex, IMPHASH for Windows programs only; `-` if the file is"
    " beyond 32 MiB, or its content could not be read or is not watched, and in the replay of a tape.",
    "TargetFilename": "Full path of the file. On Linux `-` if the name that the process gave could not be read.",
    "CreationUtcTime": "When the file was created, in UTC.",
    "FileVersion": "From the version resource of a Windows program; `-` on Linux.",
    "Description": "From the version resource of a Windows program; `-` on Linux.",
    "Product": "From the version resource of a Windows program; `-` on Linux.",
    "Company": "From the version resource of a Windows program; `-` on Linux.",
    "OriginalFileName": "Name that the version resource of a Windows program gives; it stays when the file is renamed."
    " `-` on Linux.",
    "IsExecutable": "Whether the content is that of a program (a PE file on Windows; an ELF file, a script, a PE file"
    " or WebAssembly on Linux); `-` if the content was not read.",
    "Archived": "Whether a copy was kept in the archive directory: `true`, or `false` and why not; `-` without one.",
    "Signed": "Whether the file carries a signature: `true` or `false`.",
    "Signature": "Who signed.",
    "SignatureStatus": "What checking the signature gave: `Valid`, `Expired`, `Unavailable` and others.",
    "TargetObject": "Path of the key or value, with the root shortened: `HKLM`, `HKU`, `HKCR`, `HKCC`.",
    "PipeName": "Name of the pipe, without `\\\\.\\pipe`.",
    "Operation": "What was done: `Created`, `Modified` or `Deleted`.",
    "SourceImage": "Program of the process that acts.",
    "SourceUser": "Account of the process that acts.",
    "TargetImage": "Program of the process that is acted upon. On Linux `-` for a thread of the kernel.",
    "TargetUser": "Account of the process that is acted upon.",
}
