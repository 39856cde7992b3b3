from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer


def publish(topic, text):
    """Tell all who read a topic."""
    async_to_sync(get_channel_layer().group_send)(f"topic.{topic}", {"type": "alert", "text": text})
