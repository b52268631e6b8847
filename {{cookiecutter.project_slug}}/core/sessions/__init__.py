"""Sessions: PostgreSQL with a copy in the cache, a logout that holds, and the clean-up."""
