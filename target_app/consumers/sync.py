"""Sync consumers, written as the Channels tutorial teaches them."""

import json

from asgiref.sync import async_to_sync
from channels.generic.websocket import WebsocketConsumer

from target_app.presence.models import Presence
from target_app.work import REFUSED, UnknownWork, parse_work


class EchoConsumer(WebsocketConsumer):
    """Answers each message with itself."""

    presence_s = None  # how long "online" counts; None: until disconnect()

    def connect(self):
        try:
            self.work = parse_work(self.scope["query_string"])
        except UnknownWork:
            self.close(REFUSED)
            return

        Presence.objects.online(self.scope, self.channel_name, self.presence_s)
        self.accept()

    def disconnect(self, close_code):
        Presence.objects.offline(self.channel_name)

    # Receive message from WebSocket
    def receive(self, text_data):
        text_data_json = json.loads(text_data)
        message = text_data_json["message"]

        self.work.run()

        # Send message to WebSocket
        self.send(text_data=json.dumps({"message": message}))


class RoomConsumer(WebsocketConsumer):
    """Passes each message on to all members of its room."""

    presence_s = None  # how long "online" counts; None: until disconnect()

    def connect(self):
        self.room_name = self.scope["url_route"]["kwargs"]["room_name"]
        self.room_group_name = f"chat_{self.room_name}"
        try:
            self.work = parse_work(self.scope["query_string"])
        except UnknownWork:
            self.close(REFUSED)
            return

        # Join room group
        async_to_sync(self.channel_layer.group_add)(self.room_group_name, self.channel_name)

        Presence.objects.online(self.scope, self.channel_name, self.presence_s)
        self.accept()

    def disconnect(self, close_code):
        # Leave room group
        async_to_sync(self.channel_layer.group_discard)(self.room_group_name, self.channel_name)

        Presence.objects.offline(self.channel_name)

    # Receive message from WebSocket
    def receive(self, text_data):
        text_data_json = json.loads(text_data)
        message = text_data_json["message"]

        self.work.run()

        # Send message to room group
        async_to_sync(self.channel_layer.group_send)(self.room_group_name, {"type": "chat.message", "message": message})

    # Receive message from room group
    def chat_message(self, event):
        message = event["message"]

        # Send message to WebSocket
        self.send(text_data=json.dumps({"message": message}))
