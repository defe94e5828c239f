"""What the user side writes into the maps of pushdown, without a kernel: the maps are dictionaries."""

from __future__ import annotations

from pysmon.sensor.libbpf import Map
from pysmon.sensor.pushdown import Approval, Pushdown
from pysmon.sensor.records import ACTORS, ANSWERED, ASKING, BRIEF, FAMILIES, IMAGES_LIMIT, WITHIN

BY_ACTOR = {"file create": Approval(by_actor=True)}
BIT = 1 << FAMILIES.index("file create")


class Written(Map):
    """A map that only remembers."""

    def __init__(self) -> None:
        self.items: dict[bytes, bytes] = {}

    def update(self, key: bytes, value: bytes) -> None:
        self.items[key] = value

    def delete(self, key: bytes) -> None:
        self.items.pop(key, None)


class Maps:
    """All of them, and what was published."""

    def __init__(self) -> None:
        self.maps: dict[str, Written] = {}
        self.published: list[tuple[int, int]] = []
        self.pushdown = Pushdown(self._find, lambda generation, how: self.published.append((generation, how)))

    def _find(self, name: str) -> Map:
        return self.maps.setdefault(name, Written())

    def answers(self) -> list[int]:
        return [int.from_bytes(value, "little") for value in self.maps["answers"].items.values()]


def test_one_answer_is_written_for_a_program_and_a_user_whatever_the_processes() -> None:
    made = Maps()
    made.pushdown.renew(BY_ACTOR)
    for tgid in (7, 8):
        made.pushdown.answer("/bin/true", 0, ["file create"], (tgid, 1, 1))
    made.pushdown.answer("/bin/true", 5, [], (9, 1, 1))
    made.pushdown.answer("/bin/true", 6, [], (9, 1, 1), within=["ipv4", "ipv6"])
    made.pushdown.answer("/bin/true", 7, [], (9, 1, 1), brief=True)
    assert made.answers() == [BIT | ANSWERED, ANSWERED, sum(WITHIN.values()) | ANSWERED, BRIEF | ANSWERED]
    assert len(made.maps["running"].items) == 3
    assert len(made.maps["images"].items) == 1


def test_another_generation_is_answered_anew() -> None:
    made = Maps()
    for families in (["file create"], []):
        made.pushdown.renew(BY_ACTOR)
        made.pushdown.answer("/bin/true", 0, families, (7, 1, 1))
    assert made.answers() == [BIT | ANSWERED, ANSWERED]


def test_when_all_numbers_are_given_the_kernel_asks_for_none() -> None:
    made = Maps()
    made.pushdown.renew(BY_ACTOR)
    for number in range(IMAGES_LIMIT):
        assert made.published == [(0, 0), (1, ACTORS | ASKING)]
        made.pushdown.answer(f"/bin/{number}", 0, [], (7, 1, number))
    assert made.published[-1] == (1, ACTORS)
    made.pushdown.answer("/bin/one/more", 0, [], (7, 1, 1))
    made.pushdown.renew(BY_ACTOR)
    assert made.published[-1] == (2, ACTORS)
    assert len(made.maps["images"].items) == IMAGES_LIMIT


def test_rules_that_do_not_look_at_who_acts_ask_for_nobody() -> None:
    made = Maps()
    made.pushdown.renew({"file create": Approval()})
    assert made.published[-1] == (1, 0)
