"""The service's files: modes that no umask can spoil, and no change of them that goes untold."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pysmon.sensor.loader import OBJECT
from pysmon.service.guard import Place, Watched, places_of, secure
from pysmon.service.paths import Paths
from pysmon.service.stored import save

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def sha(data: bytes) -> str:
    return f"SHA256={hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o600)
    return path


def told(watched: Watched) -> list[str]:
    """What a look tells, without the paths; the next one must tell nothing."""
    found = watched.look()
    assert watched.look() == ()
    assert {name for name, _ in found} <= {"TAMPER"}
    return [description.split(": ", 1)[1] for _, description in found]


def replaced(path: Path) -> None:
    path.with_name("other").write_bytes(b"old")
    path.with_name("other").chmod(0o600)
    path.with_name("other").rename(path)


def linked(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/null")


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "content": (lambda p: p.write_bytes(b"new"), f"content changed from {sha(b'old')} to {sha(b'new')}"),
    "mode": (lambda p: p.chmod(0o666), "mode changed from 0600 to 0666"),
    "removed": (lambda p: p.unlink(), "was removed"),
    "replaced": (replaced, "was replaced"),
    "link": (linked, "was replaced by a link to /dev/null, mode 0666, of user 0"),
    "touched": (lambda p: os.utime(p, (1, 1)), "was written or touched, and its content is the same"),
}


@pytest.mark.parametrize("way", CHANGES)
def test_a_change_of_a_file_is_told_once_in_words(file: Path, way: str) -> None:
    watched = Watched([Place(file)])
    assert watched.look() == ()
    change, said = CHANGES[way]
    change(file)
    (description,) = told(watched)
    assert description.startswith(said)


def test_a_report_names_the_path(file: Path) -> None:
    watched = Watched([Place(file)])
    file.unlink()
    assert watched.look() == (("TAMPER", f"{file}: was removed"),)


@needs_root
def test_another_owner_is_told(file: Path) -> None:
    watched = Watched([Place(file)])
    os.chown(file, 1234, -1)
    assert told(watched) == ["owner changed from user 0 to user 1234"]


def test_several_changes_of_a_file_are_one_report(file: Path) -> None:
    watched = Watched([Place(file)])
    file.write_bytes(b"")
    file.chmod(0o644)
    assert told(watched) == [
        f"content changed from {sha(b'old')} to {sha(b'')}; was emptied; mode changed from 0600 to 0644"
    ]


def test_a_change_that_keeps_size_and_time_is_told(file: Path) -> None:
    watched, before = Watched([Place(file)]), file.stat()
    file.write_bytes(b"own")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert told(watched) == [f"content changed from {sha(b'old')} to {sha(b'own')}"]


def test_a_file_that_appears_is_told(tmp_path: Path) -> None:
    path = tmp_path / "unit"
    watched = Watched([Place(path)])
    path.write_bytes(b"x")
    path.chmod(0o640)
    assert told(watched) == [f"appeared (a file, mode 0640, of user {os.geteuid()}, {sha(b'x')})"]


def test_what_a_link_leads_to_is_watched(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)
    watched = Watched([Place(link)])
    file.write_bytes(b"new")
    assert told(watched) == [CHANGES["content"][1]]
    file.unlink()
    (gone,) = told(watched)
    assert gone.startswith(f"content changed from {sha(b'new')} to SHA256=-")


def test_files_in_a_watched_folder_are_told_as_they_come_change_and_go(tmp_path: Path) -> None:
    folder = tmp_path / "pysmon.service.d"
    watched = Watched([Place(folder, "folder")])
    folder.mkdir()
    (folder / "a.conf").write_bytes(b"a")
    assert [t.split(" (")[0] for t in told(watched)] == ["appeared", "appeared"]
    (folder / "a.conf").write_bytes(b"b")
    assert told(watched) == [f"content changed from {sha(b'a')} to {sha(b'b')}"]
    (folder / "a.conf").unlink()
    folder.rmdir()
    assert told(watched) == ["was removed", "was removed"]


def test_what_is_written_all_the_time_is_told_only_when_it_is_another_or_empty(file: Path) -> None:
    watched = Watched([Place(file, "place")])
    file.write_bytes(b"longer than before")
    os.truncate(file, 1)
    assert told(watched) == []
    os.truncate(file, 0)
    assert told(watched) == ["was emptied"]
    file.write_bytes(b"x")
    assert told(watched) == []
    file.chmod(0o644)
    assert told(watched) == ["mode changed from 0600 to 0644"]
    replaced(file)
    assert told(watched) == ["was replaced; mode changed from 0644 to 0600"]
    file.unlink()
    assert told(watched) == ["was removed"]


def test_a_socket_and_a_pipe_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        (tmp_path / "socket").chmod(0o600)
        watched = Watched([Place(tmp_path / "pipe"), Place(tmp_path / "socket", "place")])
        (tmp_path / "socket").chmod(0o666)
        assert told(watched) == ["mode changed from 0600 to 0666"]


def test_what_we_write_ourselves_is_not_told(file: Path) -> None:
    other = file.with_name("other")
    watched = Watched([Place(file), Place(other)])
    file.write_bytes(b"new")
    other.write_bytes(b"by somebody else")
    watched.expect(file)
    assert [t.split(" (")[0] for t in told(watched)] == ["appeared"]
    file.write_bytes(b"newer")
    assert told(watched) == [f"content changed from {sha(b'new')} to {sha(b'newer')}"]


def test_nothing_is_told_of_what_we_are_writing(file: Path) -> None:
    other = file.with_name("other")
    watched = Watched([Place(file), Place(other)])
    with watched.changing(file):
        file.unlink()
        other.touch()
        assert [t.split(" (")[0] for t in told(watched)] == ["appeared"]
        file.write_bytes(b"new")
        assert told(watched) == []
        file.chmod(0o640)
    assert told(watched) == []
    file.write_bytes(b"newer")
    assert len(told(watched)) == 1


def test_what_somebody_did_just_before_we_write_is_told(file: Path) -> None:
    other = file.with_name("other")
    watched = Watched([Place(file), Place(other)])
    file.write_bytes(b"theirs")
    other.touch()
    with watched.changing(file):
        file.write_bytes(b"ours")
        found = told(watched)
    assert found[0] == f"content changed from {sha(b'old')} to {sha(b'theirs')}"
    assert [t.split(" (")[0] for t in found[1:]] == ["appeared"]
    assert told(watched) == []


def test_the_files_of_a_folder_that_we_write_into_are_not_told(tmp_path: Path) -> None:
    watched = Watched([Place(tmp_path, "folder")])
    (tmp_path / "ours").touch()
    watched.expect(tmp_path)
    assert told(watched) == []


# ---- which files those of the service are


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    for folder in ("etc/pysmon", "etc/systemd/system", "usr/lib/systemd/system", "var/lib", "run"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    return Paths.under(tmp_path)


def test_the_service_watches_its_settings_configuration_units_folders_log_sockets_and_kernel_programs(
    paths: Paths,
) -> None:
    secure(paths)
    save(paths, b"<Sysmon/>", "a.xml", 1)
    watched = Watched(places_of(paths))
    new = [
        paths.settings,
        paths.unit,
        paths.unit.with_name("pysmon.service.d"),
        paths.root / "usr/lib/systemd/system/pysmon.service",
        paths.store,
        paths.control,
        paths.events,
    ]
    for path in new:
        path.mkdir() if path.suffix == ".d" else path.touch()
    paths.configuration.write_bytes(b"<Other/>")
    paths.about.unlink()
    paths.state.chmod(0o755)
    paths.runtime.chmod(0o755)
    named = {description.split(": ")[0] for _, description in watched.look()}
    changed = (paths.configuration, paths.about, paths.state, paths.runtime)
    assert named == {str(p) for p in (*new, *changed)}
    assert Place(Path(str(OBJECT))) in places_of(paths)


def test_saving_a_configuration_in_the_service_is_not_told(paths: Paths) -> None:
    secure(paths)
    watched = Watched(places_of(paths))
    with watched.changing(paths.configuration, paths.about):
        save(paths, b"<Sysmon/>", "a.xml", 1)
    assert told(watched) == []


# ---- modes


@pytest.fixture(params=[0o000, 0o777], ids=["no umask", "a umask that forbids all"])
def umask(request: pytest.FixtureRequest, paths: Paths) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_folders_and_files_are_for_root_alone_whatever_the_umask(paths: Paths) -> None:
    assert secure(paths) == ()
    save(paths, b"<Sysmon/>", "a.xml", 1)
    assert [mode(p) for p in (paths.state, paths.spill, paths.runtime)] == [0o700] * 3
    assert [mode(p) for p in (paths.configuration, paths.about)] == [0o600] * 2
    assert secure(paths) == ()


def test_modes_that_let_others_in_are_put_right_and_told(paths: Paths) -> None:
    secure(paths)
    paths.store.touch()
    paths.store.chmod(0o644)
    paths.spill.chmod(0o777)
    paths.settings.touch()
    paths.settings.chmod(0o666)
    assert secure(paths) == tuple(
        ("TAMPER", f"{path}: others had rights to it (mode {found}) when the service started")
        for path, found in (
            (paths.store, "0644"),
            (paths.spill, "0777"),
            (paths.settings, "0666"),
        )
    )
    assert (mode(paths.store), mode(paths.spill), mode(paths.settings)) == (0o600, 0o700, 0o666)


@needs_root
def test_what_has_its_mode_is_not_touched_as_a_read_only_disk_would_refuse(paths: Paths) -> None:
    secure(paths)
    paths.about.touch(0o600)
    watched = (paths.state, paths.about)
    before = [path.stat().st_ctime_ns for path in watched]
    time.sleep(0.02)  # a change would show in the clock of the disk
    assert secure(paths) == ()
    assert [path.stat().st_ctime_ns for path in watched] == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_somebody_else_is_told(paths: Paths) -> None:
    secure(paths)
    paths.store.touch(0o600)
    os.chown(paths.store, 1234, -1)
    assert secure(paths) == (("TAMPER", f"{paths.store}: it belongs to user 1234 when the service started"),)


def test_a_link_in_place_of_a_folder_is_refused(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    paths.state.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="a link stands where the service's own folder must be"):
        secure(paths)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_in_a_folder_is_left_alone(paths: Paths, file: Path) -> None:
    secure(paths)
    file.chmod(0o644)
    (paths.state / "link").symlink_to(file)
    assert secure(paths) == ()
    assert mode(file) == 0o644
