"""The HTTP routes: the page and the health check."""

from django.urls import path

from target_app import views

urlpatterns = [
    path("", views.page),
    path("healthz", views.healthz),
]
