"""The package of a channel layer that somebody else wrote."""

from channels_redis.core import RedisChannelLayer


class ToyLayer(RedisChannelLayer):
    """A layer of a class that no reader knows."""
