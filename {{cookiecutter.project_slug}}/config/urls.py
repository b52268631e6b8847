"""Every address of the service. The probes on this port are answered before Django."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.utils.translation import gettext_lazy as _
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from apps.users.urls import page_patterns
from core.problems.handlers import (
    bad_request,
    not_found,
    permission_denied,
    server_error,
    unknown_path,
)
from core.storage import local

admin.site.site_header = admin.site.site_title = settings.PROJECT_NAME
admin.site.index_title = _("Administration")

handler400 = bad_request
handler403 = permission_denied
handler404 = not_found
handler500 = server_error

v1 = [
    path("", include("apps.users.urls")),
    path("", include("apps.api_keys.urls")),
    path("", include("core.jobs.urls")),
    path("", include("apps.shop.urls")),  # example:shop
]

urlpatterns = [
    path("", include("apps.home.urls")),
    path("", include("core.pages.wellknown")),
    path("accounts/", include(page_patterns)),
    path("admin/", admin.site.urls),
    path("api/v1/", include(v1)),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    # Without OPTIONS, which would describe the page by the page's own template and fail.
    path("api/docs/", SpectacularSwaggerSplitView.as_view(metadata_class=None), name="docs"),
    re_path("^api/", unknown_path),
]

# Development without a bucket; in production browsers read from the bucket alone.
if settings.STORAGES["default"]["BACKEND"] == "core.storage.local.LocalStorage":
    urlpatterns += local.urlpatterns
