"""The admin with our site; in a module of its own, for Django takes one configuration from each."""

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    """Named in INSTALLED_APPS instead of `django.contrib.admin`."""

    default_site = "apps.users.admin_site.AdminSite"
