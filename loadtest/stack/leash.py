"""Becomes another program that dies with its parent, even when the parent is killed with SIGKILL.

    python -I -S leash.py PARENT_PID COMMAND...

Run as a file of its own, it needs the standard library only and adds nothing to what it starts: same process, same
pid. The kernel sends the signal when the *thread* that started us ends, so start long-lived processes from a thread
that lives as long as they should (prctl(2), PR_SET_PDEATHSIG). Only Linux has this; elsewhere the program just runs.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
CANNOT_EXECUTE = 126  # as shells have it
PARENT_GONE = 125


def main(parent: int, command: list[str]) -> None:
    """Tie this process to `parent` and turn into `command`."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(PARENT_GONE)  # it ended before we were tied to it
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"cannot start {command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(CANNOT_EXECUTE)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
