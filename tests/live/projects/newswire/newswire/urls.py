from django.urls import path

from alerts import views

urlpatterns = [path("topics/<int:topic>/alerts/", views.publish)]
