"""Which state is gone back to."""

from pathlib import Path

from ganstyle.training.watch.refuge import Refuge


def visit(refuge: Refuge, *looks: int) -> None:
    for look in looks:
        refuge.visit(look, True, lambda path: path.touch())


def test_a_state_proves_itself_by_looks_without_a_verdict(tmp_path: Path) -> None:
    refuge = Refuge(tmp_path, stride=24, probation=6)
    visit(refuge, *range(25))
    assert refuge.state_dict() == {"proved": 18, "young": None}


def test_a_state_of_a_course_that_was_given_up_never_proves_itself(tmp_path: Path) -> None:
    refuge = Refuge(tmp_path, stride=24, probation=6)
    visit(refuge, *range(21))
    assert refuge.go_back() == refuge.path(0)
    visit(refuge, *range(1, 24))
    assert refuge.proved == 0
