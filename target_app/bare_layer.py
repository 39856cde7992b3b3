"""A channel layer without consumers: channels that come, hear a message and go, and what the layer keeps of them.

    python -m target_app.bare_layer CHANNELS FILE

It makes the calls that Channels and a tutorial's consumer make, all of them right, in the layer of CHANNEL_LAYERS. What
is left then is the layer's own doing. FILE gets three lines, each a residue: what the process held before, after
channels that went while nothing was under way, and after as many that went while their group was talking.
"""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import django

HEARD_S = 20.0
"""A message in a group arrives within milliseconds; this is for a machine that is very busy."""

PAUSE_S = 0.05
"""Enough for what is under way inside a layer to get where it goes."""

MESSAGE = {"type": "chat.message", "message": "hello"}


async def run(channels: int, file: Path) -> None:
    """Let channels come and go and write what was left."""
    from channels.layers import get_channel_layer

    from loadtest.contract import write_answer
    from loadtest.probe.residue_reading import read_residue

    layer = get_channel_layer()
    readings = {}
    await come_and_go(layer, 1, "prime", is_busy=False)  # what is made once and kept is then in every reading
    readings["before"] = await read_residue({})
    await come_and_go(layer, channels, "idle", is_busy=False)
    readings["idle"] = await read_residue({})
    async with bystander(layer):
        await come_and_go(layer, channels, "busy", is_busy=True)
    readings["busy"] = await read_residue({})
    file.write_bytes(b"".join(write_answer(readings[name]) for name in ("before", "idle", "busy")))


@contextlib.asynccontextmanager
async def bystander(layer):
    """Have one more channel receive all the while, as another room does: a layer may work through any of them."""
    channel = await layer.new_channel()
    listening = asyncio.create_task(listen(layer, channel))
    try:
        yield
    finally:
        await end(listening)


async def listen(layer, channel):
    """Receive without end."""
    while True:
        await layer.receive(channel)


async def come_and_go(layer, count: int, group: str, *, is_busy: bool) -> None:
    """Have channels join a group, hear a message, leave the group and go; when busy, others talk to them still."""
    channels = await asyncio.gather(*(layer.new_channel() for _ in range(count)))
    heard = [asyncio.create_task(layer.receive(channel)) for channel in channels]
    await asyncio.gather(*(layer.group_add(group, channel) for channel in channels))
    await layer.group_send(group, MESSAGE)
    await asyncio.wait_for(asyncio.gather(*heard), HEARD_S)
    listening = [asyncio.create_task(layer.receive(channel)) for channel in channels]
    await asyncio.sleep(PAUSE_S)
    if is_busy:
        await layer.group_send(group, MESSAGE)
        await asyncio.wait(listening, timeout=HEARD_S)  # taken; now the consumer is in disconnect() and takes no more
        await layer.group_send(group, MESSAGE)
        await asyncio.sleep(PAUSE_S)
    for channel, task in zip(channels, listening, strict=True):
        await layer.group_discard(group, channel)
        await end(task)
        await asyncio.sleep(0)  # so that another channel can take over what this one did for the layer


async def end(task: asyncio.Task) -> None:
    """Cancel a task as Channels does when its consumer ends."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main() -> None:
    """Run in the reference app's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "target_app.settings")
    django.setup()
    asyncio.run(run(int(sys.argv[1]), Path(sys.argv[2])))


if __name__ == "__main__":
    main()
