"""`manage.py runserver`: Django's own speaks no WebSocket; this one is daphne's, which does.

Daphne's manual has its app put first in INSTALLED_APPS. Here every server that is measured would import it then, with
all of Twisted. A command of the project's own app comes before Django's just so, and is imported when it is run.
"""

try:
    from daphne.management.commands.runserver import Command
except ImportError as error:  # an extra, as all servers but uvicorn
    raise SystemExit(
        "runserver speaks WebSocket by daphne; install it: pip install 'channels-loadtest[servers]'"
    ) from error

__all__ = ["Command"]
