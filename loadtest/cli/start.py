"""Where the command begins: signals first, for what else there is takes half a second to import.

Until they are set a signal ends Python with a traceback; so little is imported before.
"""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SAID = "channels-loadtest: interrupted"
_SOON_S = 0.01
_INTERRUPTED = 130
"""As in exit_codes.py, which imports more than there is time for here."""


def start() -> None:
    """Run the command line; a signal ends it in order, also while its modules are being imported."""
    _at_signals(_leave)
    sys.unraisablehook = _thrown_away
    from loadtest.cli.exit_codes import ENVIRONMENT_FAILED
    from loadtest.cli.main import main

    try:
        _at_signals(_interrupt)
        main()
    except KeyboardInterrupt:
        print(_SAID, file=sys.stderr)
        sys.exit(_INTERRUPTED)
    except SystemExit as ended:
        _at_signals(_leave)  # all is done but to write out and end
        sys.exit(ended.code if _is_written() else ENVIRONMENT_FAILED)


def _at_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in _ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as SIGHUP is under nohup
            signal.signal(number, handler)


def _is_written() -> bool:
    """Write out what is still in the buffer; say so where that cannot be, which Python would do with a traceback."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"channels-loadtest: the output could not be written: {error.strerror}", file=sys.stderr)
        return False
    return True


def _leave(number: int, frame: FrameType | None) -> None:
    """End at once: nothing of ours runs, and an exception in an import may get lost in what it interrupts."""
    try:
        os.write(2, f"{_SAID}\n".encode())
    finally:
        os._exit(_INTERRUPTED)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End in order, once: whatever was started is ended, and what was measured is saved.

    Further signals are ignored meanwhile. It takes some seconds, and a run cut short in it would be called running.
    """
    for each in _ENDS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _thrown_away(what: "sys.UnraisableHookArgs") -> None:
    """Interrupt again where the exception met a finalizer, out of which Python lets none (`object.__del__`)."""
    if issubclass(what.exc_type, KeyboardInterrupt):
        signal.signal(signal.SIGALRM, _interrupt)
        signal.setitimer(signal.ITIMER_REAL, _SOON_S)
    else:
        sys.__unraisablehook__(what)
