"""Wrapping: puts the probe around the user's app wherever it is imported, by whatever server their command starts."""

import functools
import os
from collections.abc import Awaitable, Callable, MutableMapping
from types import ModuleType
from typing import Any

from loadtest.contract.variables import READY_ANSWER, READY_PATH, WRAPPED_VARIABLE
from loadtest.guest.loading import split_name
from loadtest.guest.on_import import on_import

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[..., Awaitable[None]]


def install() -> None:
    """Wrap the app as the environment says, once its module is imported; nothing where it says nothing."""
    if name := os.environ.get(WRAPPED_VARIABLE):
        module, attribute = split_name(name)
        on_import(module, functools.partial(_wrap, attribute=attribute))


def _wrap(module: ModuleType, *, attribute: str) -> None:
    """Put the probe around what a module has by that name; where there is nothing, the server says so."""
    *path, last = attribute.split(".")
    try:
        holder = functools.reduce(getattr, path, module)
        setattr(holder, last, around(getattr(holder, last)))
    except AttributeError:
        return


def around(application: Application) -> Application:
    """Return the application with the probe around it, and an answer to whoever asks whether it is ready."""
    from loadtest.probe import Probe  # imported with the app, and not into every Python that it starts
    from loadtest.probe.watching import watch
    from loadtest.probe.wrapper import ProbedApplication

    watch()
    inner = application.application if isinstance(application, ProbedApplication) else application
    return Probe(_telling_ready(inner))


def _telling_ready(application: Application) -> Application:
    answer = READY_ANSWER.encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(answer)).encode())]

    async def answer_or_pass_on(scope: MutableMapping[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == READY_PATH:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": answer})
            return
        await application(scope, receive, send)

    return answer_or_pass_on
