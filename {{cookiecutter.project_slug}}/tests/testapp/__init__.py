"""What tests of `core` use instead of a product; no settings of the service know it."""
