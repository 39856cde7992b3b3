"""The Django app that, once installed, lets the probe see inside Channels."""

from django.apps import AppConfig

from loadtest.probe.watching import watch


class ProbeConfig(AppConfig):
    """Watches consumers and channel layers when the process keeps a ledger."""

    name = "loadtest.probe"
    label = "loadtest_probe"

    def ready(self) -> None:
        """Called by Django when all apps are loaded."""
        watch()
