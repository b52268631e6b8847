"""The page at `/` and its moving part."""

from django.urls import path

from apps.home.logs import LIVE_ROUTE
from apps.home.views import home, live

urlpatterns = [
    path("", home, name="home"),
    path(LIVE_ROUTE, live, name="home-live"),
]
