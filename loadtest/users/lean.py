"""Task sets of Locust that take less memory for each user that waits, and less time for each message.

`make perf`, measure "idle", 5,000 users with a connection each: 9,724 bytes a user, and 11,256 with Locust's own task
sets ("wire, stock tasks"). A round trip of `locust -f locustfiles/echo.py --rate 0`, its wire left out: 4.2 µs of CPU,
and 8.8 when each message takes a turn of Locust's own loop.
"""

from typing import Any, Final

from locust.user.task import LOCUST_STATE_RUNNING, DefaultTaskSet

from loadtest.users.pacing import until_planned
from loadtest.wire import sleep

TURNS: Final = 100
"""So often at most, for every loop has a bound; the one turn of Locust's loop then costs 0.05 µs a message."""


class TaskQueue(list[Any]):
    """The tasks that a user is to do next, most often none; an empty deque, as Locust has it, takes 0.6 KB."""

    __slots__ = ()

    def popleft(self) -> Any:
        """Take the next task out."""
        return self.pop(0)

    def appendleft(self, task: Any) -> None:
        """Put a task before the others."""
        self.insert(0, task)


class LeanTasks(DefaultTaskSet):
    """Locust's task set of a user, with our sleep, which takes 0.7 KB less than gevent's.

    Where a user has one task, which waits for an answer, and waits for nothing between two of them (`paced()` with
    `--rate 0`), TURNS of them are done in one turn of Locust's own loop, as long as Locust wants the user to run.
    """

    _sleep = staticmethod(sleep)

    def execute_next_task(self) -> None:
        """Do the next task, and do it again while that is all that Locust's loop would do."""
        task = self._task_queue.popleft()
        if not self._has_one_task():
            self.execute_task(task)  # type: ignore[no-untyped-call]
            return
        user: Any = self._user
        ws, session = user.ws, user.session
        for _ in range(TURNS):
            free_ns = ws.free_ns
            task(user)
            has_waited = ws.free_ns != free_ns  # or nobody else has had a turn meanwhile
            if not (has_waited and session.may_send and user._state == LOCUST_STATE_RUNNING) or self._task_queue:
                return

    def _has_one_task(self) -> bool:
        user: Any = self._user
        waits = getattr(user.wait_time, "__func__", None) is until_planned and user.schedule.is_closed_loop
        return waits and len(user.tasks) == 1 and not hasattr(user.tasks[0], "tasks")


def make_lean(taskset: Any) -> None:
    """Give a user's task set our queue and our way of going round; before it runs."""
    taskset._task_queue = TaskQueue(taskset._task_queue)
    taskset.__class__ = LeanTasks
