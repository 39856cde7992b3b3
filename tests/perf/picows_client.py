"""picows on uvloop as the client: a C codec in an asyncio process, without statistics."""

from __future__ import annotations

import asyncio
import random
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import uvloop
from picows import WSListener, WSMsgType, ws_connect

from tests.perf.window import (
    ABORT,
    FIRST_IDLERS,
    OFFLINE_S,
    WARM_UP_S,
    Task,
    Window,
    resident_bytes,
    task_from_arguments,
    tell,
)


class Sender(WSListener):
    """One connection that sends its message again as soon as it is back."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.count = 0

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            frame.get_payload_as_utf8_text()
            self.count += 1
            transport.send(WSMsgType.TEXT, self.payload)


class Counter(WSListener):
    """Only counts."""

    count = 0

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        frame.get_payload_as_utf8_text()
        Counter.count += 1


async def connect(given: Task, listener: WSListener) -> Any:
    transport, _ = await ws_connect(lambda: listener, given.url, websocket_handshake_timeout=30)
    return transport


async def echo(given: Task) -> dict[str, float]:
    payload = given.payload.encode()
    senders = [Sender(payload) for _ in range(given.connections)]
    transports = [await connect(given, sender) for sender in senders]
    for transport in transports:
        transport.send(WSMsgType.TEXT, payload)
    await asyncio.sleep(WARM_UP_S)
    window = Window()
    window.begin(sum(sender.count for sender in senders))
    await asyncio.sleep(given.seconds)
    return window.end(sum(sender.count for sender in senders))


async def opening(given: Task) -> dict[str, float]:
    await connect(given, Counter())
    window = Window()
    window.begin()
    transports = [await connect(given, Counter()) for _ in range(given.connections)]
    return window.end(len(transports))


async def idle(given: Task) -> dict[str, float]:
    kept = [await connect(given, Counter()) for _ in range(FIRST_IDLERS)]
    before = resident_bytes()
    kept += [await connect(given, Counter()) for _ in range(given.connections - FIRST_IDLERS)]
    return {"connections": len(kept), "bytes_each": (resident_bytes() - before) / (len(kept) - FIRST_IDLERS)}


async def fanout(given: Task) -> dict[str, float]:
    transports = [await connect(given, Counter()) for _ in range(given.connections)]
    each = max(int(1_000_000 * given.seconds / 2) // given.connections // 500, 1) * 500
    window = Window()
    window.begin()
    for transport in transports:
        transport.send(WSMsgType.TEXT, f"!burst {each} {given.payload_bytes}".encode())
    async with asyncio.timeout(120):
        while Counter.count < each * given.connections:
            await asyncio.sleep(0.005)
    return window.end(Counter.count)


async def talk(given: Task) -> dict[str, float]:
    """Rooms whose members talk at a planned rate; some are dropped each second, and come back."""
    members: list[Any] = [None] * given.connections
    payload = given.payload.encode()

    async def enter(number: int) -> None:
        transport, _ = await ws_connect(Counter, given.room_url(number), websocket_handshake_timeout=30)
        members[number] = transport

    async def speak(number: int) -> None:
        due_s = asyncio.get_running_loop().time() + random.random() / given.rate
        while True:
            await asyncio.sleep(due_s - asyncio.get_running_loop().time())
            due_s += 1 / given.rate
            if members[number] is not None:
                members[number].send(WSMsgType.TEXT, payload)

    async def away(number: int) -> None:
        transport, members[number] = members[number], None
        transport.underlying_transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, ABORT)
        transport.underlying_transport.abort()
        await asyncio.sleep(OFFLINE_S)
        await enter(number)

    async with asyncio.TaskGroup() as group:
        for number in range(given.connections):
            await enter(number)
        for number in range(given.connections):
            group.create_task(speak(number))
        while given.drop_share:
            await asyncio.sleep(1)
            there = [number for number, member in enumerate(members) if member is not None]
            for number in random.sample(there, min(given.dropped_each_second, len(there))):
                group.create_task(away(number))
    return {}


SCENARIOS = {"echo": echo, "open": opening, "idle": idle, "fanout": fanout, "talk": talk}

if __name__ == "__main__":
    told = task_from_arguments()
    tell(uvloop.run(SCENARIOS[told.scenario](told)))
