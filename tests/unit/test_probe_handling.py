"""Handling: an imagined drop is missed exactly where a real one at the same moment is.

Channels' own `await_many_dispatch` runs a consumer between a server and a channel layer of a few lines; each script of
messages is run once for each turn of the event loop with a real drop in it, and once with an imagined one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from channels.exceptions import StopConsumer
from channels.utils import await_many_dispatch

from loadtest.ledger import Event
from loadtest.probe import wrapper
from loadtest.probe.handling import Handling, recorded_dispatch

TURNS = 40
"""Of the event loop, in which messages may come; a drop falls in any of them."""
SCRIPTS = 15
ASKED_NS = 77
QUIET_TURNS = 60
"""More than the handling of all that is left takes."""


class Gone(Exception):
    """What a server raises for a send to a client that is gone."""


@dataclass(slots=True, kw_only=True)
class Server:
    """A server as uvicorn: a disconnect comes through the queue, and a send after it raises."""

    messages: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    is_gone: bool = False

    def drop(self) -> None:
        self.is_gone = True
        self.messages.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if self.is_gone:
            raise Gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """In which turns messages come from the client and from the layer, and what handling one takes."""

    own: tuple[int, ...] = ()
    layered: tuple[int, ...] = ()
    turns_before_send: int = 3
    turns_after_send: int = 0
    answers_own: bool = False
    """The handler of the client's messages sends, as an echo does; else it passes them to the layer, as a room does."""
    sends_layered: bool = True


@dataclass(slots=True, kw_only=True)
class Noting:
    """A recorder that counts what was spared."""

    spared: int = 0

    def record(
        self, event: int, connection: int, code: int = 0, argument: int = 0, value: int = 0, time_ns: int = 0
    ) -> None:
        assert event != Event.SPARED or time_ns == ASKED_NS
        self.spared += value if event == Event.SPARED else 0

    def record_text(self, event: int, connection: int, text: str) -> None:
        pass


NOTED = Noting()
LEDGER: Any = NOTED
"""The same, where a recorder is wanted."""


@pytest.fixture
def noted() -> Noting:
    NOTED.spared = 0
    return NOTED


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def play(script: Script, at: int, drop: Callable[[Server, Handling], None], *, end_at: int = -1) -> bool:
    """Run the script with a drop in one turn; tell whether the consumer was handed a disconnect.

    Who is gone sends no more. With an imagined drop the connection may end for real later.
    """
    server, handling, layer = Server(), Handling(1, LEDGER), asyncio.Queue[dict[str, Any]]()
    send = wrapper._recorded_send(handling, server.send)
    was_called = False

    async def dispatch(message: Mapping[str, Any]) -> None:
        nonlocal was_called
        if message["type"] == "websocket.disconnect":
            was_called = True
            raise StopConsumer
        is_own = message["type"] == "websocket.receive"
        await turns(script.turns_before_send)
        if script.answers_own if is_own else script.sends_layered:
            await send({"type": "websocket.send", "text": ""})
        elif is_own:
            layer.put_nowait({"type": "chat.message"})
        await turns(script.turns_after_send)

    receive = wrapper._recorded_receive(handling, server.messages.get)
    sources = [receive, layer.get]
    consumer = asyncio.ensure_future(await_many_dispatch(sources, recorded_dispatch(dispatch, handling)))
    await turns(5)
    for turn in range(TURNS + QUIET_TURNS):
        if turn in script.own and turn <= at:
            server.messages.put_nowait({"type": "websocket.receive", "text": ""})
        if turn in script.layered:
            layer.put_nowait({"type": "chat.message"})
        if turn == at:
            drop(server, handling)
        if turn == end_at:
            server.drop()
        await turns(1)
    consumer.cancel()
    await asyncio.gather(consumer, return_exceptions=True)
    return was_called


def is_missed(script: Script, at: int) -> bool:
    return not asyncio.run(play(script, at, lambda server, _: server.drop()))


def is_exposed(script: Script, at: int, noted: Noting, *, end_at: int = -1) -> bool:
    judged: list[bool] = []
    waiting: list[Handling] = []
    noted.spared = 0

    def imagine(_: Server, handling: Handling) -> None:
        handling.imagined += 1
        waiting.append(handling)
        asyncio.get_running_loop().call_soon(lambda: judged.append(handling.judge(ASKED_NS)))

    asyncio.run(play(script, at, imagine, end_at=end_at))
    (was_in_midst,), (handling,) = judged, waiting
    assert not handling.in_midst, "its outcome is still open"
    assert noted.spared in (0, 1)
    return was_in_midst and not noted.spared


def scripts() -> list[Script]:
    chance = Random(20)
    return [
        Script(
            own=tuple(sorted(chance.sample(range(TURNS), chance.randint(0, 3)))),
            layered=tuple(sorted(chance.sample(range(TURNS), chance.randint(0, 6)))),
            turns_before_send=chance.randint(0, 7),
            turns_after_send=chance.choice([0, 0, 4]),
            answers_own=chance.random() < 0.3,
            sends_layered=chance.random() < 0.8,
        )
        for _ in range(SCRIPTS)
    ]


def test_imagined_drop_when_it_falls_in_any_turn_then_it_is_missed_exactly_where_a_real_one_is(noted: Noting) -> None:
    missed = exposed = 0
    for script in scripts():
        for at in range(TURNS):
            is_real, is_imagined = is_missed(script, at), is_exposed(script, at, noted)
            assert is_real == is_imagined, (script, at)
            missed, exposed = missed + is_real, exposed + is_imagined
    assert 100 < missed == exposed < SCRIPTS * TURNS - 100


def test_imagined_drop_when_a_real_one_follows_then_its_outcome_is_the_same(noted: Noting) -> None:
    chance = Random(21)
    for script in scripts():
        for at in range(TURNS):
            end_at = at + chance.randint(1, 12)
            assert is_missed(script, at) == is_exposed(script, at, noted, end_at=end_at), (script, at, end_at)


def test_imagined_drop_when_the_consumer_waits_then_it_is_not_exposed(noted: Noting) -> None:
    assert not any(is_exposed(Script(), at, noted) for at in range(3))


def test_imagined_drop_when_the_handler_never_sends_then_it_is_spared(noted: Noting) -> None:
    silent = Script(layered=(0,), turns_before_send=20, sends_layered=False)
    assert not is_exposed(silent, 10, noted)
    assert noted.spared == 1


def test_imagined_drop_when_it_comes_after_the_last_send_then_it_is_spared(noted: Noting) -> None:
    script = Script(layered=(0,), turns_before_send=10, turns_after_send=10)
    assert is_exposed(script, 8, noted)
    assert not is_exposed(script, 18, noted)


def test_imagined_drop_when_the_own_message_comes_back_through_the_layer_then_it_is_exposed(noted: Noting) -> None:
    room = Script(own=(0,), turns_before_send=10, turns_after_send=10)
    assert is_exposed(room, 8, noted)


def test_imagined_drop_when_the_own_message_comes_back_too_late_then_it_is_spared(noted: Noting) -> None:
    room = Script(own=(0,), turns_before_send=10, turns_after_send=0)
    assert not is_exposed(room, 8, noted)
