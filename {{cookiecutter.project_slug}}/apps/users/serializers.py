"""What the API says about users, and what it accepts."""

from __future__ import annotations

from rest_framework import serializers

from apps.users.models import User


class UserSerializer(serializers.ModelSerializer[User]):
    """An account as its owner sees it; rights are not among its fields."""

    class Meta:
        model = User
        fields = ["id", "email", "name"]
        read_only_fields = fields


class SessionSerializer(serializers.Serializer[dict[str, object]]):
    """Who is logged in, and the token that the next unsafe call sends as X-CSRFToken."""

    user = UserSerializer(allow_null=True, read_only=True)
    csrf_token = serializers.CharField(read_only=True)


class LoginSerializer(serializers.Serializer[dict[str, str]]):
    """Credentials."""

    email = serializers.CharField(max_length=254)
    # Characters; longer ones are refused before the hash makes them cost CPU.
    password = serializers.CharField(
        max_length=4096, trim_whitespace=False, write_only=True, style={"input_type": "password"}
    )
