"""The jobs' part of `/api/v1/`."""

from django.urls import path

from core.jobs.views import JobDetail

urlpatterns = [path("jobs/<uuid:pk>/", JobDetail.as_view(), name="job")]
