"""For devices: the same chat in binary frames."""

import json

import msgpack
from channels.generic.websocket import AsyncWebsocketConsumer


class BytesConsumer(AsyncWebsocketConsumer):
    room = None

    def read(self, data):
        return json.loads(data)

    def write(self, data):
        return json.dumps(data).encode()

    async def receive(self, text_data=None, bytes_data=None):
        content = self.read(bytes_data)
        if "room" in content:
            self.room = f"device.{content['room']}"
            await self.channel_layer.group_add(self.room, self.channel_name)
            await self.send(bytes_data=self.write({"in room": content["room"]}))
        else:
            await self.channel_layer.group_send(self.room, {"type": "device.said", "said": content["say"]})

    async def device_said(self, event):
        await self.send(bytes_data=self.write({"said": event["said"], "by": "someone"}))

    async def disconnect(self, code):
        if self.room:
            await self.channel_layer.group_discard(self.room, self.channel_name)


class MessagePackConsumer(BytesConsumer):
    def read(self, data):
        return msgpack.unpackb(data)

    def write(self, data):
        return msgpack.packb(data)
