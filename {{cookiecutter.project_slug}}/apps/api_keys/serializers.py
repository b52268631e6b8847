"""What the API says about keys, and what it accepts."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.api_keys.models import ApiKey


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """A key as its owner sees it: never the key itself."""

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "name",
            "prefix",
            "created_at",
            "last_used_at",
            "expires_at",
            "revoked_at",
        ]
        read_only_fields = fields


class NewApiKeySerializer(serializers.Serializer[dict[str, object]]):
    """What a key is for, and when it ends: in a year, unless this says otherwise."""

    name = serializers.CharField(max_length=100)
    expires_at = serializers.DateTimeField(required=False)

    def validate_expires_at(self, moment: datetime) -> datetime:
        """A moment to come."""
        if moment <= timezone.now():
            raise serializers.ValidationError(_("This moment has passed."), code="past")
        return moment


class IssuedApiKeySerializer(ApiKeySerializer):
    """A new key. `key` is what `Authorization: Bearer` carries, and is shown this once."""

    key = serializers.CharField(read_only=True)

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "key"]
        read_only_fields = fields
