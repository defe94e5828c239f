"""Laws of binary rules: nothing is lost on the way there and back, and no bytes bring the reader down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.configurations import configurations, placeless

from pysmon.config.blob.compilers import COMPILERS, Compiler
from pysmon.config.blob.decode import decode
from pysmon.config.blob.encode import encode
from pysmon.config.model import Configuration
from pysmon.config.read import read_configuration
from pysmon.config.write import write_configuration
from pysmon.errors import RecordError


def compiled(configuration: Configuration) -> Configuration:
    """The configuration as Sysmon numbers its Rules and chooses its events: written and read."""
    reading = read_configuration(write_configuration(configuration).encode(), "made.xml")
    assert not [problem for problem in reading.problems if problem.severity == "error"]
    assert reading.configuration
    return reading.configuration


@given(configurations())
def test_what_is_written_is_read_again(configuration: Configuration) -> None:
    once = compiled(configuration)
    assert placeless(compiled(once)) == placeless(once)


@given(configurations())
def test_binary_rules_hold_the_whole_configuration(configuration: Configuration) -> None:
    made = compiled(configuration)
    data = encode(made)
    decoded = decode(data, "rules.bin")
    assert decoded.losses == ()
    assert placeless(decoded.configuration) == placeless(made)
    assert encode(decoded.configuration, decoded.binary) == data


@given(configurations())
def test_the_way_over_xml_gives_the_same_bytes(configuration: Configuration) -> None:
    data = encode(compiled(configuration))
    decoded = decode(data, "rules.bin")
    assert encode(compiled(decoded.configuration), decoded.binary) == data


@pytest.mark.parametrize("compiler", COMPILERS, ids=str)
@given(data=st.data())
def test_every_version_of_the_format_is_read_as_it_is_written(compiler: Compiler, data: st.DataObject) -> None:
    made = data.draw(configurations(compiler))
    written = encode(compiled(made), compiler.binary)
    decoded = decode(written, "rules.bin")
    assert decoded.binary == compiler.binary
    assert placeless(decoded.configuration) == placeless(compiled(made))


@given(st.binary(max_size=2000))
def test_random_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    with pytest.raises(RecordError, match="binary rules, offset 0x"):
        decode(data, "rules.bin")


@given(configurations(), st.data())
def test_rules_that_were_tampered_with_are_read_or_refused(configuration: Configuration, data: st.DataObject) -> None:
    rules = bytearray(encode(compiled(configuration)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(rules) // 4 - 1)) * 4
        value = data.draw(
            st.sampled_from([0, 1, 4, 24, 48, 0xFFFFFFFF, 0x7FFFFFFF, len(rules)]) | st.integers(0, len(rules))
        )
        rules[at : at + 4] = value.to_bytes(4, "little")
    try:
        decoded = decode(bytes(rules), "rules.bin")
    except RecordError:
        return
    if not decoded.losses:
        assert encode(decoded.configuration, decoded.binary) == rules
    assert write_configuration(decoded.configuration).encode()


@given(configurations(), st.data())
def test_rules_that_were_cut_are_refused(configuration: Configuration, data: st.DataObject) -> None:
    rules = encode(compiled(configuration))
    cut = data.draw(st.integers(0, len(rules) - 16))
    with pytest.raises(RecordError):
        decode(rules[:cut], "rules.bin")
