"""The shop's migrations, as a release runs them: forwards, back to nothing and forwards again."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from scripts.servers import Postgres
from tests.stack import start_migrate

DATABASE = "shop_migrations"
TABLES = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'shop_%'"
SCHEMA = """
    SELECT table_name, column_name, data_type, is_nullable, column_default, generation_expression
    FROM information_schema.columns WHERE table_name LIKE 'shop_%' ORDER BY 1, 2;
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid::regclass::text LIKE 'shop_%' ORDER BY 1, 2;
    SELECT indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'shop_%' ORDER BY 1, 2
"""


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    postgres.create_database(DATABASE)
    yield DATABASE
    postgres.psql(f"DROP DATABASE {DATABASE} WITH (FORCE)", database="postgres")


def migrate(*to: str) -> None:
    done = start_migrate(DATABASE, *to)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_migration_runs_backwards_and_forwards_again(
    postgres: Postgres, database: str
) -> None:
    migrate()
    before = postgres.psql(SCHEMA, database=database)
    assert "shop_stock_not_negative" in before
    postgres.psql(
        "INSERT INTO shop_product (name, price_cents, is_available) VALUES ('Pen', 1, true);"
        "INSERT INTO shop_productrating (product_id, review_count, rating_sum) SELECT id, 2, 9 "
        "FROM shop_product;",
        database=database,
    )

    migrate("shop", "0002")
    assert postgres.psql("SELECT name FROM shop_product", database=database) == "Pen"
    assert "shop_stock" not in postgres.psql(SCHEMA, database=database)

    migrate("shop", "zero")
    assert postgres.psql(TABLES, database=database) == "0"

    migrate()
    assert postgres.psql(SCHEMA, database=database) == before


def test_stock_and_reviews_are_added_while_a_reader_holds_the_tables_in_use(
    postgres: Postgres, database: str
) -> None:
    """A change of one of those would wait for the reader, and stop everybody behind it."""
    migrate()
    migrate("shop", "0002")
    with psycopg.connect(postgres.url("app", database=database)) as reader:
        reader.execute("SET idle_in_transaction_session_timeout = 0")
        reader.execute("SELECT 1 FROM shop_product, shop_order, shop_orderline, users_user")
        migrate("shop", "0003_stock_and_reviews")
        assert reader.execute("SELECT count(*) FROM shop_stock").fetchone() == (0,)
