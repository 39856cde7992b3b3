"""The reference app: a Django project on Channels, written as the tutorials teach it, for the load test to measure."""
