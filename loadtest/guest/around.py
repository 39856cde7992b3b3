"""Around: the application that a server runs in the place of the user's own: that one, in the probe's wrapper.

    LOADTEST_APPLICATION=myproject.asgi:application uvicorn loadtest.guest.around:application

Where the app is in a wrapper of its own already, that one is left out.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from loadtest.contract.variables import APPLICATION_VARIABLE, READY_PATH
from loadtest.guest.loading import load_application
from loadtest.probe import Probe
from loadtest.probe.watching import watch
from loadtest.probe.wrapper import ProbedApplication

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[..., Awaitable[None]]


def around(application: Application) -> Application:
    """Return the application with the probe around it, and an answer to whoever asks whether it is ready."""
    watch()
    inner = application.application if isinstance(application, ProbedApplication) else application
    return Probe(_telling_ready(inner))


def _telling_ready(application: Application) -> Application:
    async def answer_or_pass_on(scope: MutableMapping[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == READY_PATH:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await application(scope, receive, send)

    return answer_or_pass_on


application = around(load_application(os.environ[APPLICATION_VARIABLE]))
