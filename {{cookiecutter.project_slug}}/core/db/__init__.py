"""The database behind a transaction pooler: connection settings that survive it."""
