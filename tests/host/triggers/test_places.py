"""Which paths are about persistence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysmon.host.triggers import places
from pysmon.host.triggers.places import BEGINNINGS, ENDINGS, FOLDERS, HINTS, is_hinted, place_of_trigger


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/etc/systemd/system/backup.timer", "unit"),
        ("/etc/systemd/system/ssh.service.d/override.conf", "unit"),
        ("/usr/lib/systemd/system/x.path", "unit"),
        ("/lib/systemd/user/x.socket", "unit"),
        ("/run/systemd/transient/run-1.service", "unit"),
        ("/run/systemd/generator.late/x.service", "unit"),
        ("/run/user/1000/systemd/transient/x.timer", "unit"),
        ("/home/joe/.config/systemd/user/evil.service", "unit"),
        ("/root/.local/share/systemd/user/evil.service", "unit"),
        ("/etc/systemd/system/multi-user.target.wants/ssh.service", "enabled unit"),
        ("/home/joe/.config/systemd/user/timers.target.wants/a.timer", "enabled unit"),
        ("/etc/udev/rules.d/99-x.rules", "udev rules"),
        ("/lib/udev/rules.d/99-x.rules", "udev rules"),
        ("/etc/crontab", "system crontab"),
        ("/etc/anacrontab", "system crontab"),
        ("/etc/cron.d/php", "system crontab"),
        ("/etc/cron.daily/logrotate", "periodic script"),
        ("/var/spool/cron/crontabs/joe", "user crontab"),
        ("/var/spool/cron/joe", "user crontab"),
        ("/var/spool/cron/atjobs/a0000201bf5e2c", "at job"),
        ("/var/spool/at/a0000201bf5e2c", "at job"),
    ],
)
def test_a_file_about_persistence_is_told_by_its_path(path: str, place: str) -> None:
    assert place_of_trigger(path) == place
    assert any(hint in path for hint in HINTS), "the file watch would not tell of it"


@pytest.mark.parametrize(
    "path",
    [
        "/etc/systemd/system/backup.timer.swp",
        "/etc/systemd/system/.#backup.timer1234",
        "/etc/systemd/system.conf",
        "/srv/backup.timer",
        "/etc/systemd/system/x.mount",
        "/etc/cron.d/.placeholder",
        "/etc/cron.d/php.dpkg-new",
        "/var/spool/cron/crontabs/tmp.XyZ",
        "/var/spool/cron/atjobs/.SEQ",
        "/etc/udev/rules.d/README",
        "/etc/passwd",
        "-",
        "",
    ],
)
def test_what_only_looks_like_one_is_none(path: str) -> None:
    assert place_of_trigger(path) is None


@given(st.one_of([st.from_regex(pattern, fullmatch=True) for _, pattern in places._PLACES]))
@settings(max_examples=300, deadline=None)
def test_each_place_lies_in_a_folder_or_ends_as_is_said(path: str) -> None:
    folder, _, name = path.rpartition("/")
    assert f"{folder}/".startswith(FOLDERS) or name.endswith(ENDINGS)


PARTS = [hint[begin:end] for hint in HINTS for begin in (0, 1, 5) for end in (None, -1, -4)]
PATHS = st.lists(st.sampled_from([*PARTS, "/", "a", "/etc/", "cron"])).map("".join)


@given(st.one_of(PATHS, *(st.from_regex(pattern, fullmatch=True) for _, pattern in places._PLACES)))
@settings(max_examples=300, deadline=None)
def test_a_folder_and_the_beginning_of_a_name_tell_of_all_that_a_hint_is_in(path: str) -> None:
    folder, slash, name = path.rpartition("/")
    if any(hint in path for hint in HINTS):
        assert is_hinted(folder + slash) or name.startswith(BEGINNINGS)
