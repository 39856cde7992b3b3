SECRET_KEY = "not-so-secret"
DEBUG = False
ALLOWED_HOSTS = ["board.example.com"]

INSTALLED_APPS = ["boards"]
MIDDLEWARE = []
ROOT_URLCONF = "whiteboard.urls"
ASGI_APPLICATION = "whiteboard.asgi.application"
DATABASES = {}

CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
