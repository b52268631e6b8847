"""The page at `/`, and the demo data of a development database."""
