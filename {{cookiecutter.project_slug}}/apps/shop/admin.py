"""The shop in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.shop.models import (
    Location,
    Order,
    OrderLine,
    Product,
    Review,
    Stock,
    StockMovement,
)
from apps.shop.ratings import delete_review
from apps.shop.stock import MAX_PIECES, receive_stock


class Unchangeable:
    """What a service writes, with its lock: the admin shows it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(Unchangeable):
    """Not even to remove."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
class OrderAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Orders, to read: what changes one is in `services.py`, with its lock."""

    list_display = ["id", "customer", "status", "total_cents", "currency", "created_at"]
    list_filter = ["status"]
    # Without it the list asks for each customer alone.
    list_select_related = ["customer"]
    ordering = ["-created_at", "-id"]
    show_full_result_count = False
    inlines = [OrderLineInline]


@admin.register(Location)
class LocationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Warehouses and branches."""

    list_display = ["name"]
    search_fields = ["name"]
    show_full_result_count = False


class StockForm(forms.ModelForm):  # type: ignore[type-arg]
    """Receives pieces. Never a new total: between its reading and its saving, others order."""

    received = forms.IntegerField(min_value=1, max_value=MAX_PIECES, help_text="Pieces to add")

    class Meta:
        model = Stock
        fields = ["product", "location"]


@admin.register(Stock)
class StockAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What lies where; pieces come by here, and go by orders and transfers."""

    form = StockForm
    fields = ["product", "location", "quantity", "received"]
    autocomplete_fields = ["product", "location"]
    list_display = ["product", "location", "quantity"]
    list_filter = ["location"]
    list_select_related = ["product", "location"]
    search_fields = ["product__name"]
    ordering = ["-id"]
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["quantity"] if obj is None else ["product", "location", "quantity"]

    def save_model(self, request: HttpRequest, obj: Stock, form: Any, change: bool) -> None:
        received = form.cleaned_data["received"]
        stock = receive_stock(product=obj.product, location=obj.location, quantity=received)
        obj.pk, obj.quantity = stock.pk, stock.quantity

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The ledger, to read."""

    list_display = [
        "id",
        "stock__product",
        "stock__location",
        "change",
        "reason",
        "order_id",
        "created_at",
    ]
    list_filter = ["reason"]
    list_select_related = ["stock__product", "stock__location"]
    ordering = ["-id"]  # by the primary key's index
    show_full_result_count = False


@admin.register(Review)
class ReviewAdmin(Unchangeable, admin.ModelAdmin):  # type: ignore[type-arg]
    """Reviews, to read and to remove; a removed one is counted no longer."""

    list_display = ["product", "customer", "rating", "created_at"]
    list_filter = ["rating"]
    list_select_related = ["product", "customer"]
    ordering = ["-id"]
    show_full_result_count = False

    def delete_model(self, request: HttpRequest, obj: Review) -> None:
        delete_review(obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Review]) -> None:
        for review_id in queryset.values_list("pk", flat=True):
            delete_review(review_id)
