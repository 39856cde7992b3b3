"""The stack's errors."""


class EnvironmentFailed(Exception):
    """Something around the measurement is not as it must be: a target, a broker, a port, a limit, a disk.

    The message says what was tried, on what, and what to do next; it is shown to a person as it is (exit code 4).
    """
