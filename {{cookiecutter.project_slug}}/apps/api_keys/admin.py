"""Keys in the admin: to see and to revoke; made by their owners alone."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.api_keys.models import ApiKey


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no subscript at run time
    """Who has which key, and when it was last used."""

    list_display = ["prefix", "name", "user", "last_used_at", "expires_at", "revoked_at"]
    list_select_related = ["user"]
    search_fields = ["prefix", "user__email"]
    ordering = ["-created_at", "-id"]
    show_full_result_count = False
    actions = ["revoke"]
    # Shown, and nothing of it changed; `digest` is nobody's to see.
    readonly_fields = [
        "prefix",
        "name",
        "user",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    ]

    @admin.action(description=_("Revoke the selected keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        """End them, for ever."""
        for key in keys:
            key.revoke()
            self.log_change(request, key, "Revoked.")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
