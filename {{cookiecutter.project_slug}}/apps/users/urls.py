"""The users' part of `/api/v1/`, and the pages that mailed links open."""

from django.urls import path

from apps.users import pages, views

urlpatterns = [
    path("session/", views.SessionView.as_view(), name="session"),
    path("accounts/", views.SignUpView.as_view(), name="sign-up"),
    path("accounts/verification/", views.VerificationView.as_view(), name="verification"),
    path("accounts/verification/mail/", views.VerificationMailView.as_view()),
    path("password/", views.PasswordView.as_view(), name="password"),
    path("password/reset/", views.PasswordResetView.as_view(), name="password-reset"),
    path("password/reset/mail/", views.PasswordResetMailView.as_view()),
]

page_patterns = [
    path("verification/", pages.verification, name="users-verification"),
    path("password/", pages.password_reset, name="users-password-reset"),
]
