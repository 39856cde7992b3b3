"""Online: `python -m loadtest.guest.online` asks the app once who is online, so that it is known whether it can tell.

Ends with exit code 1 and one line that says why where it cannot.
"""

import os
import sys

from loadtest.contract.variables import APPLICATION_VARIABLE
from loadtest.guest.loading import load_application


def main() -> None:
    """Ask as a server process is asked."""
    load_application(os.environ[APPLICATION_VARIABLE])  # it names its settings, and sets Django up
    from django.conf import settings

    from loadtest.probe.presence import read_presence

    try:
        read_presence(settings.LOADTEST["PRESENCE"])
    except Exception as error:  # noqa: BLE001 - the app's own code may raise anything
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
