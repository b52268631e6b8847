"""The pages that mailed links open, for a service without a front end of its own.

A link opens a form and does nothing by itself: mail scanners follow links, and would use them up.
With a front end, let it serve `/accounts/` and call the API.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from apps.users import accounts, guards, keys
from core.lockout.guard import LockedOut

# A key has some 150 characters; beyond this it is not looked at.
_LONGEST_KEY = 512


class PasswordForm(forms.Form):
    """The new password."""

    password = forms.CharField(
        label=_("New password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True}),
    )


@never_cache
def verification(request: HttpRequest) -> HttpResponse:
    """Confirm the address: a button, so that only a person does it."""
    if request.method != "POST":
        return render(request, "users/verification.html")
    try:
        attempt = guards.mailed_key(request)
        accounts.verify(_key(request))
    except keys.InvalidKeyError:
        return _message(request, _("This link does not work"), _INVALID, 400)
    except LockedOut as locked:
        return _locked(request, locked)
    attempt.give_back()
    return _message(
        request, _("Thank you"), _("Your e-mail address is confirmed: you can log in now.")
    )


@never_cache
@sensitive_post_parameters("password")
def password_reset(request: HttpRequest) -> HttpResponse:
    """Choose a new password."""
    try:
        attempt = guards.mailed_key(request)
        keys.holder_of_reset_key(_key(request))
        form = PasswordForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            accounts.reset_password(_key(request), form.cleaned_data["password"])
            attempt.give_back()
            return _message(
                request, _("Done"), _("Your password is changed: log in with the new one.")
            )
    except ValidationError as error:  # of the password validators
        form.add_error("password", error)
    except keys.InvalidKeyError:
        return _message(request, _("This link does not work"), _INVALID, 400)
    except LockedOut as locked:
        return _locked(request, locked)
    attempt.give_back()
    status = 400 if form.errors else 200
    return render(request, "users/password_reset.html", {"form": form}, status=status)


_INVALID = _("It is wrong, was used, or is too old: ask for another one.")


def _key(request: HttpRequest) -> str:
    key = request.GET.get("key", "")
    if not key or len(key) > _LONGEST_KEY:
        raise keys.InvalidKeyError
    return key


def _locked(request: HttpRequest, locked: LockedOut) -> HttpResponse:
    response = _message(request, _("Too many attempts"), _("Try again later."), 429)
    response.headers["Retry-After"] = str(locked.wait)
    return response


def _message(
    request: HttpRequest, title: str | Promise, text: str | Promise, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"title": title, "text": text}
    return render(request, "users/message.html", context, status=status)
