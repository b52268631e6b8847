from django.apps import AppConfig


class ReleaseConfig(AppConfig):
    name = "drills.app.release"
    label = "drill_release"
    default_auto_field = "django.db.models.BigAutoField"
