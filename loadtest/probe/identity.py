"""Identity: what this server process is made of, as far as its figures can depend on it."""

import os
import platform
from importlib.metadata import distributions

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection

from loadtest.contract import Identity
from loadtest.contract.answers import normal_name
from loadtest.probe.recording import class_name


async def read_identity() -> Identity:
    """Return Python, packages, channel layer and database of this process."""
    layer = get_channel_layer()
    return Identity(
        pid=os.getpid(),
        python=platform.python_version(),
        packages=await sync_to_async(_installed, thread_sensitive=False)(),
        layer="" if layer is None else class_name(layer),
        database=await sync_to_async(_database, thread_sensitive=False)(),
    )


def _installed() -> dict[str, str]:
    """Return the version of every installed package: which of them serve or carry messages is for the reader."""
    found: dict[str, str] = {}
    for package in distributions():  # in the order of sys.path: the first of a name is the one that is imported
        name = package.metadata["Name"]
        if name:  # none in what an interrupted installation left
            found.setdefault(normal_name(name), package.version)
    return dict(sorted(found.items()))


def _database() -> str:
    """Return vendor and version of the default database, from the driver and the server, without changing either."""
    if not settings.DATABASES:
        return ""
    try:
        with connection.cursor():
            numbers = connection.get_database_version()
        return f"{connection.vendor} {'.'.join(map(str, numbers))}"
    except Exception as error:  # noqa: BLE001 - whatever the driver raises, the version is not known
        return f"{connection.vendor} (version not known: {class_name(error)})"
    finally:
        connection.close()  # that of this thread
