"""The shop app."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Products, orders and their payment."""

    name = "apps.shop"
    label = "shop"

    def ready(self) -> None:
        """Show the newest orders on the page of development, and delete the files of deleted rows.

        In every process: a row may be deleted in a shell that loads no view.
        """
        from apps.home import panels
        from apps.shop import signals  # noqa: F401
        from apps.shop.panels import recent_orders

        panels.register("Recent orders", recent_orders)
