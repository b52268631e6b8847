"""The users' part of `/api/v1/`."""

from django.urls import path

from apps.users.views import SessionView

urlpatterns = [path("session/", SessionView.as_view(), name="session")]
