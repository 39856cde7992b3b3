from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "not-so-secret"
DEBUG = False
ALLOWED_HOSTS = ["news.example.com"]

INSTALLED_APPS = ["alerts"]
MIDDLEWARE = []
ROOT_URLCONF = "newswire.urls"
ASGI_APPLICATION = "newswire.asgi.application"

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "newswire.sqlite3"}}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
