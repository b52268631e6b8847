"""Dead letters in the admin: to read, and to send again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from kombu.exceptions import OperationalError as BrokerError

from core.deadletters.models import DeadLetter
from core.deadletters.replaying import NotReplayableError, replay


@admin.register(DeadLetter)
class DeadLetterAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no subscript at run time
    """Nothing is changed by hand: a message that was edited is another message."""

    list_display = ["created_at", "kind", "task", "queue", "reason", "replayed_at"]
    list_filter = ["kind", "queue"]
    search_fields = ["message_id", "task"]
    ordering = ["-created_at", "-id"]
    show_full_result_count = False
    actions = ["replay_selected"]
    readonly_fields = [field.name for field in DeadLetter._meta.fields]

    @admin.action(description="Send the selected messages again", permissions=["change"])
    def replay_selected(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        """Those that can be sent; each that cannot is named with the reason."""
        sent = 0
        for letter in letters:
            try:
                replay(letter)
            except (NotReplayableError, BrokerError) as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                sent += 1
                self.log_change(request, letter, "Sent again.")
        if sent:
            self.message_user(request, f"{sent} sent again.", messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
