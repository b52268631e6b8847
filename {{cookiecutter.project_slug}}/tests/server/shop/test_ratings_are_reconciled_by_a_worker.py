from __future__ import annotations

import json

from apps.shop.tasks import reconcile_ratings
from scripts.servers import Postgres
from tests.server.conftest import DATABASE, StartRole

DRIFT = """
INSERT INTO shop_product (name, price_cents, is_available) VALUES ('Ruler', 1, true);
INSERT INTO shop_productrating (product_id, review_count, rating_sum)
SELECT id, 99, 99 FROM shop_product WHERE name = 'Ruler'
"""
FOUND = """
SELECT review_count, rating_sum, average IS NULL FROM shop_productrating
WHERE product_id IN (SELECT id FROM shop_product WHERE name = 'Ruler')
"""


def test_a_worker_of_low_mends_what_drifted_and_says_how_many(
    start_role: StartRole, postgres: Postgres, published: None
) -> None:
    postgres.psql(DRIFT, database=DATABASE)
    with start_role("worker", "low") as worker:
        reconcile_ratings.apply_async(publish_now=True)
        line = json.loads(worker.wait_for_line("ratings reconciled"))
    assert (line["level"], line["mended"]) == ("warning", 1)
    assert postgres.psql(FOUND, database=DATABASE) == "0|0|t"
