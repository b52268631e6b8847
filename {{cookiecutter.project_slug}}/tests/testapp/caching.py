"""Views that say, and do, everything about caching."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.caching.policy import Public

POLICY = Public(max_age=60, stale_while_revalidate=600)


def silent(_: HttpRequest) -> HttpResponse:
    return HttpResponse("text")


@POLICY
def public(request: HttpRequest) -> HttpResponse:
    """Public, unless its query says what to do wrong."""
    match request.GET.get("do"):
        case "session":
            request.session.get("basket")
        case "user":
            str(request.user)
        case "cookie":
            response = HttpResponse("text")
            response.set_cookie("seen", "1")
            return response
        case "missing":
            return HttpResponse("no", status=404)
        case "stream":
            return StreamingHttpResponse([b"te", b"xt"])
        case "moved":
            return HttpResponseRedirect("/silent/", status=301)
        case "found":
            return HttpResponseRedirect("/silent/")
    return HttpResponse("text")


@cache_control(public=True, max_age=60)
def by_django(request: HttpRequest) -> HttpResponse:
    if "session" in request.GET:
        request.session.get("basket")
    return HttpResponse("text")


@cache_control(max_age=60)
def without_a_word(request: HttpRequest) -> HttpResponse:
    request.session.get("basket")
    return HttpResponse("text")


@cache_control(private=True, max_age=60)
def private(request: HttpRequest) -> HttpResponse:
    request.session.get("basket")
    return HttpResponse("text")


@condition(etag_func=lambda _: 'W/"version-7"')
def versioned(_: HttpRequest) -> HttpResponse:
    return HttpResponse("text")


class ByClass(APIView):
    """A policy of a class of DRF, and a session that permission to see it may read."""

    permission_classes = [AllowAny]
    cache_policy = POLICY

    def get(self, request: Request) -> Response:
        return Response({"a": 1})

    post = get


class WithoutAuthentication(ByClass):
    """Nobody is asked who they are."""

    authentication_classes = ()


urlpatterns = [
    path("silent/", silent),
    path("public/", public),
    path("by-django/", by_django),
    path("without-a-word/", without_a_word),
    path("private/", private),
    path("versioned/", versioned),
    path("by-class/", ByClass.as_view()),
    path("without-authentication/", WithoutAuthentication.as_view()),
]
