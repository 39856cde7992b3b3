"""Identity: what this server process is made of, as far as its figures can depend on it."""

import os
import platform

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection

from loadtest.contract import Identity
from loadtest.contract.packages import installed_packages
from loadtest.probe.recording import class_name


async def read_identity() -> Identity:
    """Return Python, packages, channel layer and database of this process."""
    layer = get_channel_layer()
    return Identity(
        pid=os.getpid(),
        python=platform.python_version(),
        packages=await sync_to_async(installed_packages, thread_sensitive=False)(),
        layer="" if layer is None else class_name(layer),
        database=await sync_to_async(_database, thread_sensitive=False)(),
    )


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
