"""A rehearsal: `python -m loadtest.users.rehearsal LOCUSTFILE` loads the file and answers what its users would do.

It reads questions and writes answers, a line each (see loadtest/load/rehearsal.py). Nothing is opened or sent here:
whoever asks does that.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from locust import User
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from loadtest.load import Job
from loadtest.load.rehearsal import Answer, Found, FoundClass, Question
from loadtest.users import ChurnUser, WebSocketUser
from loadtest.users.own_code import told
from loadtest.users.pacing import until_planned
from loadtest.users.session import Session
from loadtest.users.sessions import begin_session, end_session

Frame = str | bytes


def main() -> None:
    """Tell what the file is, and answer until nothing more is asked."""
    path, out = Path(sys.argv[1]), _own_output()
    loaded = Loaded(path)
    _say(out, loaded.found.line())
    for line in sys.stdin:
        _say(out, loaded.answer(Question.read(line)).line())


def _own_output() -> TextIO:
    """Return what we answer on; what the file prints goes to the errors from now on, and so to the log."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return out


def _say(out: TextIO, line: str) -> None:
    print(line, file=out, flush=True)


class Loaded:
    """A locustfile that was loaded as Locust loads it, and users of one of its classes."""

    def __init__(self, path: Path) -> None:
        """Load it; where that raises, `found` says what."""
        self._path = path
        self._classes: dict[str, type[User]] = {}
        self._environment = Environment()
        self._made: list[WebSocketUser] = []
        self._make: Iterator[WebSocketUser] = iter(())
        try:
            self._classes = load_locustfile(str(path))[0]
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the file raises, it cannot be imported
            self.found = Found(problem=told(error, path))
        else:
            self.found = Found(classes=[_found(name, cls) for name, cls in self._classes.items()])

    def answer(self, question: Question) -> Answer:
        """Return the answer to a question; what the file's own code raises is the problem."""
        try:
            return self._answer(question)
        except Exception as error:  # noqa: BLE001 - the file's own code may raise anything
            return Answer(problem=told(error, self._path))

    def _answer(self, question: Question) -> Answer:
        if question.what == "begin":
            self._begin(question)
            return Answer()
        user = self._user(question.user)
        match question.what:
            case "address":
                return Answer(said=user.url)
            case "joining":
                return Answer(frames=[_frame("joining", frame) for frame in user.joining()])
            case "is_joined":
                return Answer(is_joined=bool(user.is_joined(question.frame)))
            case "encode":
                return Answer(frames=[_frame("encode", user.encode(question.marker))])
            case "find":
                return Answer(said=_marker(user.find(question.frame)))

    def _begin(self, question: Question) -> None:
        cls: Any = self._classes[question.cls]
        end_session(self._environment)
        self._environment = environment = Environment(user_classes=[cls])
        job = Job.model_validate_json(question.job).model_copy(update={"ledger": "", "entry": "", "conductor": ""})
        begin_session(environment, Session(environment=environment, load=job))
        self._made, self._make = [], iter(lambda: cls(environment), None)

    def _user(self, number: int) -> WebSocketUser:
        while len(self._made) <= number:
            self._made.append(next(self._make))
        return self._made[number]


def _found(name: str, cls: type[User]) -> FoundClass:
    if not issubclass(cls, WebSocketUser):
        return FoundClass(name=name, is_ours=False)
    return FoundClass(
        name=name,
        is_ours=True,
        row=cls.row,
        is_droppable=issubclass(cls, ChurnUser),
        is_paced=getattr(cls, "wait_time", None) is until_planned,
        waits_to_join=cls.is_joined is not WebSocketUser.is_joined,
    )


def _frame(method: str, frame: Any) -> Frame:
    if isinstance(frame, str | bytes):
        return frame
    raise TypeError(f"{method} makes frames of str or bytes, and got {type(frame).__name__}: {frame!r}")


def _marker(found: Any) -> str | None:
    if found is None or isinstance(found, str):
        return found
    raise TypeError(f"find returns a marker, as a str, or None, and got {type(found).__name__}: {found!r}")


if __name__ == "__main__":
    main()
