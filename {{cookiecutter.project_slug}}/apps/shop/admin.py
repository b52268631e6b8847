"""The shop in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.shop.models import Order, OrderLine, Product


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no subscript at run time
    """Products and their prices."""

    list_display = ["name", "price_cents", "is_available"]
    list_filter = ["is_available"]
    search_fields = ["name"]
    ordering = ["-created_at", "-id"]
    # A count of every row for each page of the list.
    show_full_result_count = False


class OrderLineInline(admin.TabularInline):  # type: ignore[type-arg]
    """What was ordered."""

    model = OrderLine
    fields = ["product", "quantity", "unit_price_cents", "amount_cents"]
    readonly_fields = ["amount_cents"]  # the database computes it
    extra = 0
    can_delete = False


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Orders, to read: what changes one is in `services.py`, with its lock."""

    list_display = ["id", "customer", "status", "total_cents", "currency", "created_at"]
    list_filter = ["status"]
    # Without it the list asks for each customer alone.
    list_select_related = ["customer"]
    ordering = ["-created_at", "-id"]
    show_full_result_count = False
    inlines = [OrderLineInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
