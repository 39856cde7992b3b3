"""On request: a server that runs anyway records while a bench elsewhere, which has the token, asks it to.

The routes exist only where the token is in the environment. Between two recordings there is no ledger and no timer.
"""

import asyncio
import hmac
from typing import Any, Final

from loadtest.contract.elsewhere import HOW_TO_MAKE, LEAST_TOKEN, ROUTES, TOKEN_VARIABLE
from loadtest.probe.control import Control
from loadtest.probe.meeting import Meeting, meeting_of
from loadtest.probe.routes import Routes, respond
from loadtest.probe.session import Session

LOOK_S: Final = 5.0
"""Between two looks whether the bench still lives."""


class OnRequest:
    """Records from the beginning to the end that a bench asks for."""

    def __init__(self, token: str) -> None:
        """Nothing is recorded yet; ValueError where the token could be guessed, OSError without a meeting place."""
        if len(token) < LEAST_TOKEN:
            raise ValueError(f"{TOKEN_VARIABLE} has fewer than {LEAST_TOKEN} characters; {HOW_TO_MAKE}")
        self.session: Session | None = None
        self._authorization = f"Bearer {token}".encode()
        self._meeting: Meeting = meeting_of(token)
        self._control = Control(self._meeting.folder, lambda: self.session, self.look)
        self._routes = Routes(self._meeting)
        self._next_look: asyncio.TimerHandle | None = None
        self._has_started = False

    async def start_once(self) -> None:
        """Answer the other processes from now on, unless that was begun; record where they do."""
        if not self._has_started:
            self._has_started = True
            await self._control.start_once()
            self.look()

    async def answered(self, scope: Any, send: Any) -> bool:
        """Answer a request for the probe; nobody learns more without the token than that there is one."""
        if scope["type"] != "http" or not scope["path"].startswith(ROUTES):
            return False
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if hmac.compare_digest(given, self._authorization):
            await self._routes.answer(scope, send)
        else:
            await respond(send, 403, b'{"error": "wrong token"}')
        return True

    def look(self) -> None:
        """Begin or end a session where that was asked for; in the thread of the event loop."""
        wanted = self._meeting.ledger
        if self.session is not None and self.session.folder != wanted:
            self.session.end()
            self.session = None
        if wanted is not None and self.session is None:
            self._begin(wanted)
        self._look_again()

    def _begin(self, wanted: Any) -> None:
        try:
            self.session = Session(wanted)
        except OSError:
            return  # a full disk: this process then tells that it does not record
        self.session.watch(asyncio.get_running_loop())

    def _look_again(self) -> None:
        """Look from time to time until what was recorded is gone; a bench that died does not ask for that."""
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        if self._meeting.asked is not None:
            self._next_look = asyncio.get_running_loop().call_later(LOOK_S, self.look)
        else:
            self._meeting.tidy()
