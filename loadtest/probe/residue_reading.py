"""Reading the residue: what is left in this server process, its channel layer and its database."""

import asyncio
import ctypes
import gc
import os
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connections

from loadtest.contract import ProcessResidue
from loadtest.probe.handling import Handling
from loadtest.probe.presence import read_presence
from loadtest.probe.readers import LayerResidue, layer_readers
from loadtest.probe.recording import class_name


async def read_residue(open_connections: Mapping[int, Handling]) -> ProcessResidue:
    """Read all there is; a part that fails is reported as unknown and does not spoil the others."""
    unknown: dict[str, str] = {}
    busy = {connection: handling.handled_type for connection, handling in open_connections.items()}  # before we wait
    gc.collect()  # what only waits for it, such as the database connection of a thread that has ended, is not left
    presence = await _presence(unknown)  # before the others, for it makes a thread that they would not all have
    layer = await _read_layer(unknown)
    return ProcessResidue(
        pid=os.getpid(),
        groups=layer.groups if layer else None,
        queues=layer.queues if layer else None,
        subscriptions=layer.subscriptions if layer else None,
        tasks=_tasks(),
        threads=sorted(thread.name for thread in threading.enumerate()),
        fds=_file_descriptors(unknown, of_layer=layer.sockets if layer else 0),
        presence=presence,
        memory_kb=_memory_kb(unknown),
        busy=busy,
        unknown=unknown,
    )


async def _read_layer(unknown: dict[str, str]) -> LayerResidue | None:
    layer = get_channel_layer()
    if layer is None:
        return LayerResidue()
    backend = class_name(layer)
    reader = layer_readers().get(backend)
    if reader is None:
        why = f"no reader for the channel layer {backend}"
    else:
        try:
            return await reader(layer)
        except Exception as error:  # noqa: BLE001 - whatever the layer raises, its residue is not known
            why = f"reading {backend} failed: {error!r}"
    unknown.update(groups=why, queues=why, subscriptions=why)
    return None


def _tasks() -> dict[str, int]:
    """Return the unfinished asyncio tasks but our own, counted by what they run."""
    own = "Control._answer"
    names = (getattr(task.get_coro(), "__qualname__", repr(task.get_coro())) for task in asyncio.all_tasks())
    return dict(Counter(name for name in names if name != own))


def _file_descriptors(unknown: dict[str, str], *, of_layer: int) -> dict[str, int] | None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        unknown["fds"] = "this system has no /proc/self/fd"
        return None
    kinds = Counter(_kinds(folder.iterdir()))
    kinds["layer socket"] = of_layer
    kinds["socket"] -= of_layer
    return dict(+kinds)


def _kinds(descriptors: Iterable[Path]) -> Iterable[str]:
    for descriptor in descriptors:
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue  # the one we list the folder with
        yield target.partition(":")[0] if ":" in target else "file"


def _memory_kb(unknown: dict[str, str]) -> int | None:
    """Read what is resident and the process's own, after having given back what is free.

    Anonymous pages only: those of mapped files (code, the ledger) come and go with the system's caches.
    """
    status = Path("/proc/self/status")
    if not status.is_file():
        unknown["memory_kb"] = "this system has no /proc/self/status"
        return None
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    if trim is not None:
        trim(0)
    anonymous = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("RssAnon:")]
    if not anonymous:
        unknown["memory_kb"] = "this system's /proc/self/status has no RssAnon"
        return None
    return int(anonymous[0]) * 1024 // 1000


async def _presence(unknown: dict[str, str]) -> list[int | str] | int | None:
    """Return who the app's own records still call online, or how many; None where nobody says how to ask it."""
    source = getattr(settings, "LOADTEST", {}).get("PRESENCE")
    if source is None:
        return None
    try:
        # A thread of its own: the one that sync consumers share may be held up by one of them
        return await sync_to_async(_read_and_disconnect, thread_sensitive=False)(source)
    except Exception as error:  # noqa: BLE001 - the app's own code may raise anything
        unknown["presence"] = f"{source} failed: {error!r}"
        return None


def _read_and_disconnect(source: str) -> list[int | str] | int:
    try:
        return read_presence(source)
    finally:
        connections.close_all()  # of this thread
