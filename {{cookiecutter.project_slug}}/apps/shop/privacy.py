"""What the shop knows of its customers: who they are is the account's, what they write is here."""

from core.privacy import PUBLIC, TEXT, Declaration

PRIVACY: dict[str, Declaration] = {
    "shop.Product": {PUBLIC: "name price_cents is_available created_at"},
    "shop.Order": {PUBLIC: "status total_cents currency created_at paid_at"},
    "shop.OrderLine": {PUBLIC: "quantity unit_price_cents"},
    "shop.Location": {PUBLIC: "name"},
    "shop.Stock": {PUBLIC: "quantity"},
    "shop.StockMovement": {PUBLIC: "change reason created_at"},
    "shop.Review": {TEXT: "text", PUBLIC: "rating created_at"},
    "shop.ProductRating": {PUBLIC: "review_count rating_sum"},
    "shop.ProductImage": {PUBLIC: "state failure original image thumbnail width height created_at"},
}
