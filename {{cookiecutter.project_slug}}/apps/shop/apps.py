"""The shop app."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Products, orders and their payment."""

    name = "apps.shop"
    label = "shop"
