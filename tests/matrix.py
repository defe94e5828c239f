"""What proves each event: the tests that cause it, in programs that live a millisecond, too, those that it must not
come of, and the tape that tells it. tests/test_matrix.py holds the events, the tests, the tapes and the pages to it.
"""

from __future__ import annotations

from dataclasses import dataclass

OURS = "pysmon tells it of itself"  # in place of a proof: no process and no record is behind it
HELD = "who owns a clipboard lives as long as what is in it"


@dataclass(frozen=True, slots=True)
class Proof:
    """Tests by file and name, below tests/; a tape by its name."""

    caused: tuple[str, ...]  # that look at each field of it, all together
    short: str
    near: str
    tape: str


_FILES, _TRIGGERS, _LIVE = "pipeline/test_files.py::", "pipeline/test_triggers.py::", "pipeline/test_live.py::"
_WHOLE, _PROCESS, _SETTINGS = "sensor/test_whole.py::", "sensor/test_process.py::", "sensor/test_settings.py::"
_SHORT = "test_a_program_of_a_short_life_is_told"
_EACH_FIELD = _FILES + "test_each_field_is_told_of_what_is_detected_blocked_and_refused"
_NO_PROGRAM = _FILES + "test_what_is_no_new_program_is_neither_detected_nor_blocked"
_REMOVED = (
    _WHOLE + "test_a_file_that_is_removed_is_told_whole_by_both_events",
    _FILES + "test_a_removed_file_lies_in_the_archive",
)
_TIMER = _TRIGGERS + "test_a_timer_with_its_service_that_is_enabled_is_told_in_three_parts"
_NO_TRIGGER = _TRIGGERS + "test_what_only_reads_or_lies_elsewhere_is_not_told"
_STORM = "sensor/test_storm.py::test_a_storm_of_short_processes_is_told_to_the_last_one"

MATRIX = {
    1: Proof(
        caused=(_WHOLE + "test_a_program_and_its_end_are_told_whole",),
        short=_STORM,
        near=_PROCESS + "test_a_program_that_cannot_be_started_is_not_told",
        tape="intrusion",
    ),
    2: Proof(
        caused=("sensor/test_times.py::test_a_time_that_is_set_is_told_with_the_one_before",),
        short="sensor/test_times.py::" + _SHORT,
        near="sensor/test_times.py::test_what_sets_no_other_time_is_not_told",
        tape="files",
    ),
    3: Proof(
        caused=(
            _WHOLE + "test_a_datagram_is_told_whole",
            "sensor/test_tcp.py::test_a_connection_is_told_by_who_connects_and_by_who_accepts",
        ),
        short=_WHOLE + "test_a_connection_of_a_child_that_ends_at_once_is_told",
        near="sensor/test_tcp.py::test_a_refused_connection_is_not_told",
        tape="intrusion",
    ),
    4: Proof(
        caused=(_LIVE + "test_a_run_says_when_it_begins_by_which_configuration_and_when_it_ends",),
        short=OURS,
        near=OURS,
        tape=OURS,
    ),
    5: Proof(
        caused=(_WHOLE + "test_a_program_and_its_end_are_told_whole",),
        short=_STORM,
        near=_PROCESS + "test_a_thread_is_no_process",
        tape="intrusion",
    ),
    6: Proof(
        caused=("sensor/test_module.py::test_a_signed_module_is_told_with_its_signer",),
        short="sensor/test_module.py::test_who_loaded_it_is_told",
        near="sensor/test_module.py::test_what_the_kernel_refuses_is_not_told",
        tape="modules",
    ),
    7: Proof(
        caused=(
            _WHOLE + "test_the_image_of_a_program_is_told_whole",
            "sensor/test_image.py::test_the_package_that_owns_a_file_is_told",
        ),
        short=_WHOLE + "test_the_image_of_a_program_is_told_whole",
        near="sensor/test_image.py::test_what_executes_no_file_is_not_told",
        tape="machine",
    ),
    8: Proof(
        caused=("sensor/test_injection.py::test_code_of_another_process_is_told_with_its_function",),
        short="sensor/test_injection.py::test_a_target_of_a_short_life_has_its_module",
        near="sensor/test_injection.py::test_a_debugger_that_only_looks_is_not_told",
        tape="injection",
    ),
    9: Proof(
        caused=("sensor/test_device.py::test_a_device_opened_to_be_read_is_told",),
        short="sensor/test_device.py::" + _SHORT,
        near="sensor/test_device.py::test_what_reads_no_device_past_the_file_system_is_not_told",
        tape="machine",
    ),
    10: Proof(
        caused=("sensor/test_access.py::test_access_to_another_process_is_told",),
        short="sensor/test_access.py::test_a_debugger_of_a_short_life_is_told",
        near="sensor/test_access.py::test_what_everybody_may_know_of_another_process_is_not_told",
        tape="injection",
    ),
    11: Proof(
        caused=(_WHOLE + "test_a_file_that_is_made_is_told_whole",),
        short=_WHOLE + "test_a_file_that_is_made_is_told_whole",
        near="sensor/test_file_create.py::test_a_file_that_was_there_is_not_told",
        tape="intrusion",
    ),
    12: Proof(
        caused=(_SETTINGS + "test_a_network_of_one_s_own_brings_its_tables",),
        short=_SETTINGS + "test_tables_of_a_process_that_ends_at_once_are_told",
        near=_SETTINGS + "test_namespaces_without_tables_bring_none",
        tape="modules",
    ),
    13: Proof(
        caused=(_SETTINGS + "test_a_setting_is_told_with_the_value_before",),
        short=_SETTINGS + _SHORT,
        near=_SETTINGS + "test_what_sets_nothing_is_not_told",
        tape="places",
    ),
    14: Proof(
        caused=(_SETTINGS + "test_an_interface_that_is_renamed_takes_its_tables_along",),
        short=_SETTINGS + "test_a_rename_by_a_process_that_ends_at_once_is_told",
        near=_SETTINGS + "test_a_rename_that_fails_is_not_told",
        tape="modules",
    ),
    15: Proof(
        caused=("sensor/test_attributes.py::test_an_attribute_is_told_with_its_hash_and_contents",),
        short="sensor/test_attributes.py::" + _SHORT,
        near="sensor/test_attributes.py::test_attributes_of_others_and_what_sets_none_are_not_told",
        tape="places",
    ),
    16: Proof(
        caused=(_LIVE + "test_a_run_says_when_it_begins_by_which_configuration_and_when_it_ends",),
        short=OURS,
        near=OURS,
        tape=OURS,
    ),
    17: Proof(
        caused=("sensor/test_pipes.py::test_a_fifo_that_is_made_is_told",),
        short="sensor/test_pipes.py::" + _SHORT,
        near="sensor/test_pipes.py::test_what_is_no_fifo_is_not_told",
        tape="places",
    ),
    18: Proof(
        caused=("sensor/test_pipes.py::test_the_second_process_that_opens_a_fifo_is_told_with_the_first",),
        short="sensor/test_pipes.py::" + _SHORT,
        near="sensor/test_pipes.py::test_what_meets_nobody_by_name_is_not_told",
        tape="places",
    ),
    19: Proof(caused=(_TIMER,), short=_TIMER, near=_NO_TRIGGER, tape="files"),
    20: Proof(caused=(_TIMER,), short=_TIMER, near=_NO_TRIGGER, tape="files"),
    21: Proof(caused=(_TIMER,), short=_TIMER, near=_NO_TRIGGER, tape="files"),
    22: Proof(
        caused=("sensor/test_dns.py::test_a_name_that_is_looked_up_is_told_once",),
        short="sensor/test_dns.py::" + _SHORT,
        near="sensor/test_dns_messages.py::test_what_goes_to_other_ports_or_other_sockets_is_not_told",
        tape="names",
    ),
    23: Proof(
        caused=_REMOVED,
        short=_FILES + "test_a_hundred_files_of_a_short_life_are_all_archived",
        near="sensor/test_file_delete.py::test_what_is_no_removal_of_a_file_is_not_told",
        tape="intrusion",
    ),
    24: Proof(
        caused=("pipeline/test_clipboard.py::test_what_a_program_copies_is_told_hashed_archived_and_played_again",),
        short=HELD,
        near="sensor/clipboard/test_watch_x11.py::test_another_selection_is_nobodys_business",
        tape="clipboard",
    ),
    25: Proof(
        caused=(
            _WHOLE + "test_code_that_a_program_unlocks_is_told_whole",
            "sensor/test_tampering.py::test_a_program_without_a_name_is_told",
        ),
        short=_WHOLE + "test_code_that_a_program_unlocks_is_told_whole",
        near="sensor/test_tampering_alive.py::test_what_programs_do_with_their_memory_is_not_told",
        tape="injection",
    ),
    26: Proof(
        caused=_REMOVED,
        short=_REMOVED[0],
        near="sensor/test_file_delete.py::test_what_is_no_removal_of_a_file_is_not_told",
        tape="files",
    ),
    27: Proof(caused=(_EACH_FIELD,), short=_EACH_FIELD, near=_NO_PROGRAM, tape="files"),
    28: Proof(caused=(_EACH_FIELD,), short=_EACH_FIELD, near=_NO_PROGRAM, tape="files"),
    29: Proof(caused=(_EACH_FIELD,), short=_EACH_FIELD, near=_NO_PROGRAM, tape="files"),
    100: Proof(
        caused=("sensor/test_program.py::test_a_program_that_is_loaded_is_told",),
        short="sensor/test_program.py::" + _SHORT,
        near="sensor/test_program.py::test_other_calls_of_bpf_are_not_told",
        tape="machine",
    ),
    255: Proof(
        caused=(_LIVE + "test_a_loss_is_told_counted_and_made_up_for",),
        short="sensor/test_guard.py::test_a_signal_of_another_process_is_told",
        near="sensor/test_guard.py::test_what_is_no_signal_to_us_is_not_told",
        tape="machine",
    ),
}
