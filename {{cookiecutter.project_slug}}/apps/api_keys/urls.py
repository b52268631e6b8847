"""The keys' part of `/api/v1/`."""

from django.urls import path

from apps.api_keys.views import ApiKeyDetail, ApiKeyList

urlpatterns = [
    path("api-keys/", ApiKeyList.as_view(), name="api-keys"),
    path("api-keys/<int:pk>/", ApiKeyDetail.as_view(), name="api-key"),
]
