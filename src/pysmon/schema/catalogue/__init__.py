"""Every event type: one class body each. Importing this fills `pysmon.schema.event.EVENTS`."""

from __future__ import annotations

from pysmon.schema.catalogue.access import CreateRemoteThread, ProcessAccess, RawAccessRead
from pysmon.schema.catalogue.clipboard import ClipboardChange
from pysmon.schema.catalogue.file import FileCreate, FileCreateStreamHash, FileCreateTime, FileExecutableDetected
from pysmon.schema.catalogue.file_block import FileBlockExecutable, FileBlockShredding
from pysmon.schema.catalogue.file_delete import FileDelete, FileDeleteDetected
from pysmon.schema.catalogue.image import DriverLoad, ImageLoad
from pysmon.schema.catalogue.linux import EbpfEvent
from pysmon.schema.catalogue.network import DnsQuery, NetworkConnect
from pysmon.schema.catalogue.pipe import PipeConnect, PipeCreate
from pysmon.schema.catalogue.process import ProcessCreate, ProcessTampering, ProcessTerminate
from pysmon.schema.catalogue.registry import RegistryKey, RegistryRename, RegistryValueSet
from pysmon.schema.catalogue.service import ConfigurationChange, ErrorReport, ServiceStateChange
from pysmon.schema.catalogue.wmi import WmiBinding, WmiConsumer, WmiFilter

__all__ = [
    "ClipboardChange",
    "ConfigurationChange",
    "CreateRemoteThread",
    "DnsQuery",
    "DriverLoad",
    "EbpfEvent",
    "ErrorReport",
    "FileBlockExecutable",
    "FileBlockShredding",
    "FileCreate",
    "FileCreateStreamHash",
    "FileCreateTime",
    "FileDelete",
    "FileDeleteDetected",
    "FileExecutableDetected",
    "ImageLoad",
    "NetworkConnect",
    "PipeConnect",
    "PipeCreate",
    "ProcessAccess",
    "ProcessCreate",
    "ProcessTampering",
    "ProcessTerminate",
    "RawAccessRead",
    "RegistryKey",
    "RegistryRename",
    "RegistryValueSet",
    "ServiceStateChange",
    "WmiBinding",
    "WmiConsumer",
    "WmiFilter",
]
