"""What is found out of a user's own locustfile before anything is measured, and what its code raises meanwhile."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.bench.examining import examined, problems_with_classes, tells_rooms_apart
from loadtest.bench.plan import PlanError
from loadtest.bench.rehearsing import OwnCodeFailed, OwnUsers, Rehearsal
from loadtest.bench.scenarios import Scenario, read_scenario
from loadtest.load import Job
from loadtest.load.markers import find_marker, marker_of
from loadtest.load.rehearsal import Answer, Found, FoundClass, Question
from loadtest.pytest_plugin.measuring import plan_of
from loadtest.shipped import LOCUSTFILES
from loadtest.targets.reference import ReferenceApp
from loadtest.users.rehearsal import Loaded
from tests.unit.plans import make_plan

EXAMPLES = sorted((LOCUSTFILES / "your_app").glob("*.py"))
YOUR_APP = Path(__file__).resolve().parents[2] / "docs" / "your_app.md"
MARKER = marker_of(1 << 56 | 3, 4)
HEAD = '''"""Theirs: what they do."""

from locust import HttpUser, task

from loadtest.users import ChurnUser, WebSocketUser, paced

SCENARIO = {"users": 6, "rate": 2, "room_size": 3, "drops": True}
'''
MEMBER = """
class Member(ChurnUser):
    wait_time = paced()

    @task
    def talk(self):
        self.say()
"""


class HeardHere(Rehearsal):
    """A rehearsal of which both sides are in this process."""

    def __init__(self, path: Path) -> None:
        self.row = read_scenario(path)
        self.loaded = Loaded(path)

    def ask(self, question: Question, method: str = "") -> Answer:
        answer = Answer.read(self.loaded.answer(Question.read(question.line())).line())
        if answer.problem:
            raise OwnCodeFailed(f"{method}: {answer.problem}")
        return answer

    def users(self, room_size: int = 1) -> OwnUsers:
        (cls,) = Found.read(self.loaded.found.line()).classes
        return OwnUsers(self, cls, Job(host="ws://h", room_size=room_size))


Written = Callable[[str], HeardHere]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(source: str) -> HeardHere:
        path = tmp_path / "theirs.py"
        path.write_text(HEAD + source)
        return HeardHere(path)

    return write


def problems(heard: HeardHere, row: Scenario | None = None) -> str:
    return "; ".join(problems_with_classes(heard.loaded.found, row or heard.row))


def test_line_when_a_frame_in_it_is_binary_then_it_is_read_as_it_was() -> None:
    question = Question(what="find", frame=b"\xff{", user=3)
    assert Question.read(question.line()) == question
    answer = Answer(frames=["text", b"\x00"], said=None)
    assert Answer.read(answer.line()) == answer
    found = Found(classes=[FoundClass(name="A", is_ours=True)])
    assert Found.read(found.line()) == found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_when_rehearsed_then_it_is_one_that_can_be_measured_and_tells_its_rooms(path: Path) -> None:
    heard = HeardHere(path)
    assert problems(heard) == ""
    assert tells_rooms_apart(heard.users())
    users = heard.users(room_size=2)
    assert users.address("ws://h/ws/chat/", 0) == "ws://h/ws/chat/", "its address is the app's own"
    assert users.joining(0) == users.joining(1) != users.joining(2)
    assert find_marker(users.frame(0, MARKER)) == MARKER


def test_example_when_it_is_json_rpc_then_an_acknowledgement_is_no_message() -> None:
    users = HeardHere(LOCUSTFILES / "your_app" / "json_rpc.py").users()
    users.address("ws://h/", 0)
    call = json.loads(users.frame(0, MARKER))
    assert users.find(0, json.dumps({"id": call["id"], "result": {"stored": MARKER}})) is None
    assert users.find(0, json.dumps({"method": "said", "params": {"text": MARKER}})) == MARKER
    joining = json.loads(users.joining(0)[0])
    assert users.is_expected(0, json.dumps({"id": joining["id"], "result": {}}))
    assert not users.is_expected(0, json.dumps({"method": "said", "params": {"text": MARKER}}))


def test_example_when_it_stands_in_the_docs_then_it_is_that_of_the_file(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?class RpcMember.*?)```", YOUR_APP.read_text(), re.DOTALL)
    (tmp_path / "json_rpc.py").write_text(block)
    in_docs, in_file = (HeardHere(folder / "json_rpc.py").users() for folder in (tmp_path, EXAMPLES[0].parent))
    for users in (in_docs, in_file):
        users.address("ws://h/", 0)
    assert in_docs.frame(0, MARKER) == in_file.frame(0, MARKER)
    assert in_docs.joining(0) == in_file.joining(0)
    for frame in (in_file.frame(0, MARKER), json.dumps({"method": "said", "params": {"text": MARKER}})):
        assert in_docs.find(0, frame) == in_file.find(0, frame)


def test_file_when_it_does_not_import_then_the_error_and_its_line_are_told(written: Written) -> None:
    assert written("import no_such_package\n").loaded.found.problem == (
        "ModuleNotFoundError: No module named 'no_such_package' (theirs.py, line 8)"
    )
    assert written("raise SystemExit\n").loaded.found.problem == "SystemExit (theirs.py, line 8)"


def test_file_when_what_it_imports_from_its_folder_fails_then_the_line_there_is_told(
    written: Written, tmp_path: Path
) -> None:
    (tmp_path / "beside.py").write_text("x = 1\ny = x / 0\n")
    assert written("import beside\n").loaded.found.problem == "ZeroDivisionError: division by zero (beside.py, line 2)"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("", "it has no user class of ours, derived from WebSocketUser or ChurnUser of loadtest.users"),
        ("class Page(HttpUser):\n    pass\n", "it has no user class of ours, .*; there is Page"),
        (MEMBER + "class Page(HttpUser):\n    pass\n", "Page is not derived from WebSocketUser"),
        (MEMBER + "class Other(Member):\n    pass\n", "nothing tells Member and Other apart; give each a `row`"),
        (MEMBER.replace("ChurnUser", "WebSocketUser"), "its SCENARIO has drops, and no class is a ChurnUser"),
        (MEMBER.replace("wait_time", "pause"), "its SCENARIO has a rate, and no class keeps it"),
    ],
)
def test_classes_when_they_cannot_be_measured_then_the_problem_is_said(
    written: Written, source: str, problem: str
) -> None:
    assert re.match(problem, problems(written(source)))


def test_classes_when_each_has_a_row_of_its_own_then_several_can_be_measured(written: Written) -> None:
    assert problems(written(MEMBER + "class Other(Member):\n    row = 'other'\n")) == ""


def test_messages_when_they_are_the_tutorials_then_nothing_in_them_tells_rooms_apart(written: Written) -> None:
    assert not tells_rooms_apart(written(MEMBER).users())


def test_encode_when_it_leaves_the_marker_out_then_what_it_makes_is_told(written: Written) -> None:
    with pytest.raises(ValueError, match=r"encode of Member in theirs\.py does not put the marker in; .* 'hello' of"):
        tells_rooms_apart(written(f"{MEMBER}    def encode(self, marker):\n        return 'hello'\n").users())


def test_encode_when_its_marker_is_hidden_then_it_may_be_right_all_the_same(written: Written) -> None:
    tells_rooms_apart(written(f"{MEMBER}    def encode(self, marker):\n        return marker[::-1]\n").users())


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        (
            "encode(self, marker):\n        return {'text': marker}",
            "encode of Member: TypeError: encode makes frames of",
        ),
        ("encode(self, marker):\n        return self.nothing", r"AttributeError: .* \(theirs\.py, line 17\)"),
        ("joining(self):\n        return [None]", "joining of Member: TypeError: joining makes frames of str or bytes"),
        ("__init__(self, environment):\n        raise OSError('x')", r"OSError: x \(theirs\.py, line 17\)"),
    ],
)
def test_methods_when_they_raise_or_return_no_frame_then_the_line_is_told(
    written: Written, method: str, problem: str
) -> None:
    with pytest.raises(OwnCodeFailed, match=problem):
        tells_rooms_apart(written(f"{MEMBER}\n    def {method}\n").users())


def test_find_when_it_returns_what_is_no_text_then_that_is_told(written: Written) -> None:
    users = written(f"{MEMBER}    def find(self, frame):\n        return b'marker'\n").users()
    users.address("ws://h/", 0)
    with pytest.raises(OwnCodeFailed, match="find returns a marker, as a str, or None, and got bytes"):
        users.find(0, "frame")


def test_plan_when_its_file_is_examined_then_in_a_process_of_its_own(written: Written, tmp_path: Path) -> None:
    """The real one: what the file prints goes to nobody, and each problem is one message."""
    written(f"print('hello')\n{MEMBER}")
    plan = make_plan({"locustfile": tmp_path / "theirs.py", "load": "fixed"})
    assert examined(plan) == frozenset()
    assert plan_of("theirs", {"locustfile": tmp_path / "theirs.py"}, ReferenceApp()).scenarios == ("theirs",)
    written("print('hello')\nimport no_such_package\n")
    with pytest.raises(PlanError) as raised:
        examined(plan)
    assert str(raised.value) == (
        f"locustfile: {tmp_path / 'theirs.py'} cannot be imported: "
        "ModuleNotFoundError: No module named 'no_such_package' (theirs.py, line 9)"
    )
