"""Handling: what a consumer that has not ended is doing, read from its suspended task when somebody asks.

Channels' `await_many_dispatch` waits for the next message or awaits the handler of one. Its frame tells which, so
nothing has to be recorded while messages pass.
"""

import asyncio
import inspect
from types import FrameType
from typing import Any

_LOOP = "await_many_dispatch"


def handled_message(task: "asyncio.Task[object] | None") -> str:
    """Return the type of the ASGI or channel message that the task's consumer is handling; "" when it waits for one."""
    awaitable: Any = task.get_coro() if task is not None else None
    while inspect.iscoroutine(awaitable):
        frame = awaitable.cr_frame
        awaitable = awaitable.cr_await
        if frame is not None and frame.f_code.co_name == _LOOP:
            return _dispatched(frame, awaitable)
    return ""


def _dispatched(frame: FrameType, awaitable: Any) -> str:
    if getattr(awaitable, "__qualname__", "") == asyncio.wait.__qualname__:
        return ""  # between messages
    message = frame.f_locals.get("result")
    return str(message.get("type", "")) if isinstance(message, dict) else ""
