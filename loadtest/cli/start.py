"""Where the command begins: signals first, for what else there is takes half a second to import."""

import os
import signal
import sys
from types import FrameType

from loadtest.cli.exit_codes import ENVIRONMENT_FAILED, INTERRUPTED

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start() -> None:
    """Run the command line; a signal ends it in order, also while its modules are being imported."""
    for number in _ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as SIGHUP is under nohup
            signal.signal(number, _interrupt)
    try:
        from loadtest.cli.main import main

        main()
    except KeyboardInterrupt:
        print("channels-loadtest: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except SystemExit as ended:
        sys.exit(ended.code if _is_written() else ENVIRONMENT_FAILED)


def _is_written() -> bool:
    """Write out what is still in the buffer; say so where that cannot be, which Python would do with a traceback."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"channels-loadtest: the output could not be written: {error.strerror}", file=sys.stderr)
        return False
    return True


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End in order, once: whatever was started is ended, and what was measured is saved.

    Further signals are ignored meanwhile. It takes some seconds, and a run cut short in it would be called running.
    """
    for each in _ENDS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt
