"""The admin: the lockout of every other login, and a second factor.

Whoever has none enrols at the first login, before anything else opens: no account has to be
prepared by somebody who is in already.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import REDIRECT_FIELD_NAME, authenticate
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from apps.users import guards, second_factor, tasks
from apps.users.backends import SecondFactorInvalid, SecondFactorRequired
from apps.users.guards import CodeAttempt
from apps.users.models import User
from core.lockout import guard
from core.lockout.guard import LockedOut

_CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 32}


class LoginForm(AdminAuthenticationForm):
    """Address, password, and the code of the second factor if there is one."""

    code = forms.CharField(
        label=_("Code"), required=False, max_length=32, widget=forms.TextInput(attrs=_CODE)
    )
    locked: LockedOut | None = None

    def clean(self) -> dict[str, Any]:
        """Django's, with the code. Raises `ValidationError`."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email is None or not password:
            return self.cleaned_data
        try:
            code = self.cleaned_data.get("code")
            user = authenticate(self.request, username=email, password=password, code=code)
        except LockedOut as locked:
            self.locked = locked
            raise forms.ValidationError(str(locked.detail), code="too_many_attempts") from None
        except SecondFactorRequired:
            message = _("Enter your password again, with a code of your authenticator app.")
            raise forms.ValidationError(message, code="second_factor_required") from None
        except SecondFactorInvalid as error:
            raise forms.ValidationError(str(error.detail), code="second_factor_invalid") from None
        if user is None:
            raise self.get_invalid_login_error()
        self.user_cache = user
        self.confirm_login_allowed(user)
        return self.cleaned_data


class CodeForm(forms.Form):
    """The first code of an authenticator app."""

    code = forms.CharField(
        label=_("Code"), max_length=32, widget=forms.TextInput(attrs=_CODE | {"autofocus": True})
    )


class AdminSite(admin.AdminSite):
    """Opens for staff whose session used their second factor (settings.ADMIN_SECOND_FACTOR)."""

    login_form = LoginForm
    login_template = "users/admin/login.html"

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the admin opens, beyond its login and the enrolment."""
        return super().has_permission(request) and (
            not settings.ADMIN_SECOND_FACTOR
            or second_factor.is_marked(request.session, _user(request))
        )

    def get_urls(self) -> list[URLResolver | URLPattern]:
        own = [path("second-factor/", self.second_factor, name="second_factor")]
        return [*own, *super().get_urls()]

    @method_decorator([never_cache, sensitive_post_parameters()])
    @method_decorator(login_not_required)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's; on to the enrolment for who has no factor, and 429 for who is locked out."""
        if (
            request.method == "GET"
            and super().has_permission(request)
            and not self.has_permission(request)
            and second_factor.of(_user(request)) is None
        ):
            return HttpResponseRedirect(reverse("admin:second_factor", current_app=self.name))
        response: HttpResponse = super().login(request, extra_context)
        if isinstance(response, TemplateResponse):
            locked = (response.context_data or {})["form"].locked
            if locked is not None:
                response.status_code = 429
                response.headers["Retry-After"] = str(locked.wait)
        return response

    def password_change(  # type: ignore[override]  # the stubs forget its redirect
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's, with the limit that the API has, and the mail that tells of it."""
        if request.method != "POST":
            return super().password_change(request, extra_context)
        user = _user(request)
        key = guards.password_of_session(user)
        try:
            guard.count(key)
        except LockedOut as locked:
            return HttpResponse(status=429, headers={"Retry-After": str(locked.wait)})
        response = super().password_change(request, extra_context)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if form is None or "old_password" not in form.errors:
            guard.forget(key)
        if response.status_code == 302:
            tasks.send_password_changed.delay(user.pk)
        return response

    @method_decorator([never_cache, sensitive_post_parameters()])
    @method_decorator(login_not_required)
    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Enrol; or, for somebody who has, make new recovery codes."""
        if not super().has_permission(request):
            return self._to_login(request)
        user = _user(request)
        factor = second_factor.of(user)
        if factor is None:
            return self._enrol(request, user)
        if not second_factor.is_marked(request.session, user):
            return self._to_login(request)
        if request.method == "POST":
            return self._page(request, "codes", codes=factor.new_recovery_codes())
        return self._page(request, "enrolled")

    def _enrol(self, request: HttpRequest, user: User) -> HttpResponse:
        enrolment = second_factor.Enrolment.begin(request.session, user)
        form = CodeForm(request.POST or None)
        if form.is_valid():
            try:
                attempt = CodeAttempt(request, user)
                factor = enrolment.finish(request.session, user, form.cleaned_data["code"])
            except LockedOut as locked:
                form.add_error("code", str(locked.detail))
            except IntegrityError:  # enrolled meanwhile in another window
                return self._to_login(request)
            else:
                if factor:
                    attempt.was_right()
                    return self._page(request, "codes", codes=factor.new_recovery_codes())
                form.add_error("code", _("The code is wrong. Is the clock of your device right?"))
        return self._page(request, "enrol", enrolment=enrolment, form=form)

    def _page(self, request: HttpRequest, state: str, **context: Any) -> HttpResponse:
        context |= {**self.each_context(request), "title": _("Second factor"), "state": state}
        request.current_app = self.name
        return TemplateResponse(request, "users/admin/second_factor.html", context)

    def _to_login(self, request: HttpRequest) -> HttpResponse:
        query = f"?{REDIRECT_FIELD_NAME}={request.path}"
        return HttpResponseRedirect(reverse("admin:login", current_app=self.name) + query)


def _user(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - super().has_permission was asked before
    return user
