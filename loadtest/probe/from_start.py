"""From start: a process that a bench has started records from its start to its end, as its environment says."""

import asyncio
import functools
import os
from pathlib import Path
from typing import Any

from loadtest.contract import CONTROL_VARIABLE, LEDGER_VARIABLE
from loadtest.probe.control import Control
from loadtest.probe.session import Session


class FromStart:
    """The one session of this process, and its control socket where there is a folder for one."""

    def __init__(self) -> None:
        """Open the ledger; raises OSError when it cannot be written."""
        self._ledger = os.environ[LEDGER_VARIABLE]
        _session(self._ledger)
        folder = os.environ.get(CONTROL_VARIABLE)
        self._control = Control(Path(folder), lambda: self.session, lambda: None) if folder else None

    @property
    def session(self) -> Session:
        """The one of this process."""
        return _session(self._ledger)

    async def start_once(self) -> None:
        """Answer and watch the running loop from now on, unless that was begun."""
        self.session.watch(asyncio.get_running_loop())
        if self._control is not None:
            await self._control.start_once()

    async def answered(self, scope: Any, send: Any) -> bool:
        """Return that nothing is for the probe: the bench asks by the control socket."""
        return False


@functools.cache
def _session(folder: str) -> Session:
    """Return the one of this process: an app may have a wrapper of its own inside of ours."""
    return Session(Path(folder))


if hasattr(os, "register_at_fork"):  # a server may load the app before it forks its workers
    os.register_at_fork(after_in_child=_session.cache_clear)
