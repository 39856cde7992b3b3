"""Reads the toy layer, which keeps things where channels_redis core does."""

from loadtest.probe.readers.redis_core import read as read

BACKEND = "toy_layer.ToyLayer"
