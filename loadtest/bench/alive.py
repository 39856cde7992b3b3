"""Whether all parts of a trial are alive, asked in a thread: an answer that takes long must not delay any order."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class AliveCheck:
    """Calls `ask`, which raises when a part is dead, every `every_s` seconds; `with` waits for a call under way."""

    def __init__(self, ask: Callable[[], None], every_s: float) -> None:
        """Nothing is asked before the first `look`."""
        self._ask = ask
        self._every_s = every_s
        self._due_s = time.monotonic() + every_s
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._asked: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def look(self) -> None:
        """Raise what the last call raised; start the next one when it is due. Does not wait."""
        if self._asked is not None and self._asked.done():
            asked, self._asked = self._asked, None
            asked.result()
        if self._asked is None and time.monotonic() >= self._due_s:
            self._asked = self._pool.submit(self._ask)
            self._due_s = time.monotonic() + self._every_s
