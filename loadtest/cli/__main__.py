"""`python -m loadtest.cli` is `channels-loadtest`."""

from loadtest.cli.start import start

start()
