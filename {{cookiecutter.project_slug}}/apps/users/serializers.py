"""What the API says about users, and what it accepts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import get_error_detail

from apps.users.models import User, normalized


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
    code = serializers.CharField(
        max_length=32,
        required=False,
        write_only=True,
        help_text="Of the second factor, for an account that has one.",
    )


class NewPasswordField(serializers.CharField):
    """A password that is about to be set."""

    def __init__(self, **options: Any) -> None:
        style = {"input_type": "password"}
        super().__init__(
            max_length=4096, trim_whitespace=False, write_only=True, style=style, **options
        )


class AddressField(serializers.EmailField):
    """An e-mail address in lower case and in ASCII.

    Letters that look alike would make two accounts of what a person takes for one; a domain with
    others is written in its xn-- form.
    """

    default_error_messages = {
        "ascii": _("Write the address in ASCII, its domain in the xn-- form.")
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not (text.isascii() and text.isprintable()):
            self.fail("ascii")
        return normalized(text)


class SignUpSerializer(serializers.Serializer[dict[str, str]]):
    """A new account."""

    email = AddressField()
    password = NewPasswordField()
    name = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        """Ask the password validators, which compare it with address and name."""
        try:
            validate_password(attrs["password"], User(email=attrs["email"], name=attrs["name"]))
        except DjangoValidationError as error:
            raise serializers.ValidationError({"password": get_error_detail(error)}) from None
        return attrs


class AddressSerializer(serializers.Serializer[dict[str, str]]):
    """Whom to mail."""

    email = AddressField()


class KeySerializer(serializers.Serializer[dict[str, str]]):
    """The key of a mail's link."""

    key = serializers.CharField(max_length=512)


class PasswordResetSerializer(KeySerializer):
    """The key of a mail's link, and what the password becomes."""

    password = NewPasswordField()


class PasswordChangeSerializer(serializers.Serializer[dict[str, str]]):
    """What the password is, and what it becomes."""

    current_password = serializers.CharField(
        max_length=4096, trim_whitespace=False, write_only=True, style={"input_type": "password"}
    )
    new_password = NewPasswordField()
