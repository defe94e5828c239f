"""The results of tests as JUnit XML, which build servers read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from pysmon.formats.visible import visible
from pysmon.workbench.testing import Result


def junit(results: Mapping[str, Sequence[Result]]) -> bytes:
    """One document with a test suite for each file of tests, named after it."""
    everything = [result for suite in results.values() for result in suite]
    root = ElementTree.Element("testsuites", _counts("pysmon test", everything))
    for name, suite in results.items():
        element = ElementTree.SubElement(root, "testsuite", _counts(name, suite))
        for result in suite:
            case = result.case
            about = {"classname": visible(name), "name": visible(case.name)}
            where = {"file": visible(case.place.file), "line": str(case.place.line)}
            test = ElementTree.SubElement(element, "testcase", {**about, **where})
            if not result.passed:
                failure = ElementTree.SubElement(test, "failure", {"message": visible(result.difference)})
                failure.text = "\n".join(map(visible, result.why))
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _counts(name: str, results: Sequence[Result]) -> dict[str, str]:
    failed = sum(not result.passed for result in results)
    return {"name": visible(name), "tests": str(len(results)), "failures": str(failed), "errors": "0"}
