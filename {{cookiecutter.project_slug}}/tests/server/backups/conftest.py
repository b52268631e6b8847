"""A database with rows of every type that a checksum may stumble over, and its dumps."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.servers import Stack
from tests.server.backups.vault import Vault, has_age

DATABASE = "backup_tests"
_ROWS = """
    DROP TABLE IF EXISTS note;
    CREATE TABLE note (
        id bigint PRIMARY KEY, body text, at timestamptz, amount numeric, ratio float8,
        bytes bytea, document jsonb, row text);
    INSERT INTO note SELECT n, 'line' || chr(10) || n, '2026-03-29 01:59+01', n / 7.0,
        n / 7.0::float8,
        decode('00ff', 'hex'), '{"a": null}', NULL FROM generate_series(1, 1000) AS n;
"""


@pytest.fixture
def vault(servers: Stack, tmp_path: Path) -> Vault:
    if not has_age():
        pytest.skip("age is not installed")
    assert servers.postgres
    servers.postgres.create_database(DATABASE)
    servers.postgres.psql(_ROWS, role="migrator", database=DATABASE)
    return Vault(tmp_path, servers.postgres, DATABASE)
