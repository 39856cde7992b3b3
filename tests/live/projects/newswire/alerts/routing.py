from django.urls import path

from alerts import consumers

websocket_urlpatterns = [
    path("ws/topics/<int:topic>/", consumers.TopicConsumer.as_asgi()),
    path("ws/topics/<int:topic>/sync/", consumers.SyncTopicConsumer.as_asgi()),
    path("ws/v1/topics/<int:topic>/", consumers.OldTopicConsumer.as_asgi()),
    path("ws/v1/topics/<int:topic>/sync/", consumers.OldSyncTopicConsumer.as_asgi()),
]
