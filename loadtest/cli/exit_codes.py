"""Exit codes of the command line."""

from typing import Final

FAILED: Final = 1
"""A threshold is broken, two runs differ beyond the noise, or the self-test found a defect missed, miscounted or
reported without being planted."""

USAGE: Final = 2
"""Bad usage or a bad plan."""

NOT_VALID: Final = 3
"""The measurement is not valid: the generator or the machine was the limit."""

ENVIRONMENT_FAILED: Final = 4
"""Something around the measurement failed: a target would not start, Redis died by itself, the disk is full."""

INTERRUPTED: Final = 130
"""Ended by Ctrl-C or SIGTERM, as shells count it: 128 + SIGINT."""
