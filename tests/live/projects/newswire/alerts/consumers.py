"""Alerts on a topic: the newsroom sends them, readers only listen."""

from asgiref.sync import async_to_sync
from channels.generic.websocket import AsyncJsonWebsocketConsumer, JsonWebsocketConsumer

from alerts.models import Reader


class TopicConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        topic = self.scope["url_route"]["kwargs"]["topic"]
        self.group = f"topic.{topic}"
        await Reader.objects.acreate(topic=topic, channel=self.channel_name)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def receive_json(self, content):
        if content == {"type": "ping"}:
            await self.send_json({"type": "pong"})

    async def alert(self, event):
        await self.send_json({"alert": event["text"]})

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)
        await Reader.objects.filter(channel=self.channel_name).adelete()


class OldTopicConsumer(TopicConsumer):
    """Only who closes the page has stopped reading."""

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)
        if code == 1000:
            await Reader.objects.filter(channel=self.channel_name).adelete()


class SyncTopicConsumer(JsonWebsocketConsumer):
    def connect(self):
        topic = self.scope["url_route"]["kwargs"]["topic"]
        self.group = f"topic.{topic}"
        Reader.objects.create(topic=topic, channel=self.channel_name)
        async_to_sync(self.channel_layer.group_add)(self.group, self.channel_name)
        self.accept()

    def receive_json(self, content):
        if content == {"type": "ping"}:
            self.send_json({"type": "pong"})

    def alert(self, event):
        self.send_json({"alert": event["text"]})

    def disconnect(self, code):
        async_to_sync(self.channel_layer.group_discard)(self.group, self.channel_name)
        Reader.objects.filter(channel=self.channel_name).delete()


class OldSyncTopicConsumer(SyncTopicConsumer):
    """Only who closes the page has stopped reading."""

    def disconnect(self, code):
        async_to_sync(self.channel_layer.group_discard)(self.group, self.channel_name)
        if code == 1000:
            Reader.objects.filter(channel=self.channel_name).delete()
