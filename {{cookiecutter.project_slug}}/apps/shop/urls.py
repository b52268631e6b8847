"""The shop's part of `/api/v1/`."""

from django.urls import path

from apps.shop.images import ImageDetail, ImageList
from apps.shop.reviews import ReviewList
from apps.shop.transfers import StockTransfer
from apps.shop.views import OrderDetail, OrderList, OrderPayment, ProductDetail, ProductList

urlpatterns = [
    path("products/", ProductList.as_view(), name="products"),
    path("products/<int:pk>/", ProductDetail.as_view(), name="product"),
    path("products/<int:pk>/images/", ImageList.as_view(), name="product-images"),
    path("products/<int:pk>/images/<int:image_id>/", ImageDetail.as_view(), name="product-image"),
    path("products/<int:pk>/reviews/", ReviewList.as_view(), name="product-reviews"),
    path("stock-transfers/", StockTransfer.as_view(), name="stock-transfers"),
    path("orders/", OrderList.as_view(), name="orders"),
    path("orders/<int:pk>/", OrderDetail.as_view(), name="order"),
    path("orders/<int:pk>/payment/", OrderPayment.as_view(), name="order-payment"),
]
