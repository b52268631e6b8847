"""A view that takes a file, beside the service's own URLs."""

from __future__ import annotations

from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as service_urlpatterns
from core.api.uploads import UploadView

__all__ = ["handler400", "handler403", "handler404", "handler500"]


class Upload(UploadView):
    """Says how long the file was."""

    permission_classes = [AllowAny]
    max_upload_bytes = 1024**2

    def post(self, request: Request) -> Response:
        return Response({"size": self.uploaded(request, "file").size})


urlpatterns = [path("api/test/upload/", Upload.as_view()), *service_urlpatterns]
