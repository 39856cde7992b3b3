"""Rehearsing: what the users of a user's own locustfile do is found out before anything is measured.

Each file is loaded by a process of its own, which answers what its users send and which frames they know.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Self

from loadtest.bench.generator import job_of
from loadtest.bench.plan import Plan, Trial
from loadtest.bench.scenarios import Scenario
from loadtest.dimensions import SCENARIO
from loadtest.load import Job
from loadtest.load.rehearsal import Answer, Found, FoundClass, Question
from loadtest.load.talk import Reaches
from loadtest.stack.dialogue import Dialogue
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.speaking import Frame

LOADED_S: Final = 60.0
"""Locust takes a second, and what else the file imports may take some."""
ANSWERED_S: Final = 10.0
"""A method that takes as long to make a message, or to know one, hangs."""


class OwnCodeFailed(EnvironmentFailed):
    """The code of a user's own locustfile raised something."""


class Rehearsal:
    """A locustfile in a process of its own, which answers; `with` ends it."""

    def __init__(self, row: Scenario, folder: Path) -> None:
        """Load it, with its log in `folder`. Raises EnvironmentFailed when that cannot be started."""
        self.row = row
        env = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "LOADTEST_"))}
        self._dialogue = Dialogue(
            [sys.executable, "-m", "loadtest.users.rehearsal", str(row.locustfile)],
            name=f"the process that has loaded {row.locustfile}",
            log=folder / f"{row.name}.log",
            env=env | {"PYTHONUNBUFFERED": "1"},
            cwd=folder,
        )

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.row.locustfile.name

    def found(self) -> Found:
        """Return what the file is; to be called once, before anything is asked."""
        return Found.read(self._dialogue.hear(within_s=LOADED_S))

    def ask(self, question: Question, method: str = "") -> Answer:
        """Return the answer. Raises OwnCodeFailed where the method of that name, or making users, raised something."""
        answer = Answer.read(self._dialogue.ask(question.line(), within_s=ANSWERED_S))
        if answer.problem:
            raise OwnCodeFailed(f"{method or 'making a user'} in {self.file} failed: {answer.problem}")
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._dialogue.stop()


class OwnUsers:
    """Users of one class of a locustfile, in the process that has loaded it; see `Speaker`."""

    def __init__(self, rehearsal: Rehearsal, cls: FoundClass, job: Job, *, reaches: Reaches = "everyone") -> None:
        """Take whom to ask; the users are made when the first of them is asked for its address."""
        self.rehearsal = rehearsal
        self.cls = cls
        self.job = job
        self.reaches: Reaches = reaches
        self._are_made = False

    @property
    def awaited(self) -> str:
        """What has not come where joining is not answered."""
        if self.cls.waits_to_join:
            return f"no frame came after joining for which is_joined of {self.cls.name} is true"
        return f"no frame with {self.job.expect!r} came after joining" if self.job.expect else ""

    @property
    def advice(self) -> str:
        """What says what users send."""
        where = f"of {self.cls.name} in {self.rehearsal.file}"
        return f"encode {where} says what users send, joining what they send before"

    @property
    def ack_advice(self) -> str:
        """What tells messages from acknowledgements."""
        return f"have find of {self.cls.name} in {self.rehearsal.file} return None for an acknowledgement"

    @property
    def overlooked(self) -> str:
        """What takes a frame with the marker for none."""
        return f"find of {self.cls.name} in {self.rehearsal.file} finds nothing in a frame that has it"

    def address(self, url: str, user: int) -> str:
        """Return where a user connects; to be asked before anything else, for it makes the users."""
        if not self._are_made:
            self.rehearsal.ask(Question(what="begin", cls=self.cls.name, job=self.job.at(url).model_dump_json()))
            self._are_made = True
        return self.rehearsal.ask(Question(what="address", user=user)).said or ""

    def joining(self, user: int) -> Sequence[Frame]:
        """Return what a user sends when its connection has opened."""
        return self._ask(Question(what="joining", user=user)).frames

    def is_expected(self, user: int, frame: Frame) -> bool:
        """Tell whether a frame is what is waited for after joining."""
        return self._ask(Question(what="is_joined", user=user, frame=frame)).is_joined

    def frame(self, user: int, marker: str, _number: int = 0) -> Frame:
        """Return a user's message with that marker."""
        return self._ask(Question(what="encode", user=user, marker=marker)).frames[0]

    def find(self, user: int, frame: Frame) -> str | None:
        """Return the marker in a frame that has come to a user."""
        return self._ask(Question(what="find", user=user, frame=frame)).said

    def _ask(self, question: Question) -> Answer:
        return self.rehearsal.ask(question, f"{question.what} of {self.cls.name}")


class Rehearsals:
    """The rehearsals of a run, one of each locustfile of its plan, by the scenario's name."""

    def __init__(self, loaded: Mapping[str, tuple[Rehearsal, Found]]) -> None:
        """Take those that were started."""
        self._loaded = loaded

    def users_of(self, trial: Trial, plan: Plan) -> list[OwnUsers]:
        """Return the users of a trial, of each class of its locustfile; none where it comes with the tool."""
        if trial.cell[SCENARIO] not in self._loaded:
            return []
        rehearsal, found = self._loaded[trial.cell[SCENARIO]]
        job = job_of(plan, trial, folder=Path())
        return [OwnUsers(rehearsal, cls, job, reaches=plan.reaches) for cls in found.classes]


NO_REHEARSALS: Final = Rehearsals({})
"""Of a plan that has no locustfile of its user's own."""


@contextmanager
def rehearsals(plan: Plan, folder: Path) -> Iterator[Rehearsals]:
    """Load the locustfiles of a plan, with logs in `folder`; they answer meanwhile. Raises EnvironmentFailed."""
    with ExitStack() as started:
        loaded = {row.name: started.enter_context(Rehearsal(row, folder)) for row in plan.locustfile}
        found = {name: (rehearsal, rehearsal.found()) for name, rehearsal in loaded.items()}
        yield Rehearsals(found)
