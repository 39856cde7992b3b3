"""The HTTP routes: the page, signing in and out, and the health check."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from target_app import views

urlpatterns = [
    path("", views.page),
    path("accounts/login/", LoginView.as_view()),
    path("accounts/logout/", LogoutView.as_view()),
    path("healthz", views.healthz),
]
