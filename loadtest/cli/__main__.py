"""`python -m loadtest.cli` is `channels-loadtest`."""

from loadtest.cli.main import main

main()
