from django.urls import path

from rooms import binary_consumers, consumers, old_consumers, rpc_consumers

websocket_urlpatterns = [
    path("ws/chat/", consumers.ChatConsumer.as_asgi()),
    path("ws/chat/sync/", consumers.SyncChatConsumer.as_asgi()),
    path("ws/binary/bytes/", binary_consumers.BytesConsumer.as_asgi()),
    path("ws/binary/msgpack/", binary_consumers.MessagePackConsumer.as_asgi()),
    path("ws/rpc/", rpc_consumers.RpcConsumer.as_asgi()),
    path("ws/rpc/beta/", rpc_consumers.BetaRpcConsumer.as_asgi()),
    path("ws/v1/chat/", old_consumers.OldChatConsumer.as_asgi()),
    path("ws/v1/chat/sync/", old_consumers.OldSyncChatConsumer.as_asgi()),
]
