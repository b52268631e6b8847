"""The shop app."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Products, orders and their payment."""

    name = "apps.shop"
    label = "shop"

    def ready(self) -> None:
        """Show the newest orders on the page of development."""
        from apps.home import panels
        from apps.shop.panels import recent_orders

        panels.register("Recent orders", recent_orders)
