"""How a target learns that it is measured: its environment, and the header of each connection."""

from typing import Final

LEDGER_VARIABLE: Final = "LOADTEST_LEDGER"
"""Environment: the folder for the ledger; where it is not set, the probe does nothing."""

CONTROL_VARIABLE: Final = "LOADTEST_CONTROL"
"""Environment: the folder for the control sockets; its path must be short (a Unix socket's has at most 107 bytes)."""

CONNECTION_HEADER: Final = "X-Loadtest-Connection"
"""The request header in which the client tells the server the connection's id, in decimal."""

CONNECTION_DIGITS: Final = 18
"""Digits of the longest id that a client may name: it stays below 2**63, with room for a sign."""

CONTROL_SOCKETS: Final = "control-{pid}.sock"
"""The name of a process's control socket in the folder of CONTROL_VARIABLE."""

APPLICATION_VARIABLE: Final = "LOADTEST_APPLICATION"
"""Environment: the application that `loadtest.guest.around` wraps, as "package.module:attribute"."""

WRAPPED_VARIABLE: Final = "LOADTEST_WRAPPED"
"""Environment: the application, written like that, which is put into the probe's wrapper wherever it is imported."""

OVERRIDES_VARIABLE: Final = "LOADTEST_OVERRIDES"
"""Environment: what is to be another one in Django's settings (see overrides.py); where it is not set, nothing."""

OPENING_VARIABLE: Final = "LOADTEST_OPENING"
"""Environment: the opening request with which an app is asked for its paths (see opening.py)."""

READY_PATH: Final = "/loadtest-is-it-ready/"
"""The HTTP path that the wrapper of an app of the user's own answers itself, with 200 and READY_ANSWER."""

READY_ANSWER: Final = "the probe is in"
"""By this it is known that it was the wrapper: an app may answer any path with 200."""
