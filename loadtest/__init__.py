"""channels-loadtest: load and disconnect-resilience benchmark for Django Channels."""

__version__ = "0.1.0"
