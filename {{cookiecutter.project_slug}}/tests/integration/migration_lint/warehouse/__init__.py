"""A tiny app for the lint; each test gives it the migrations of one case."""
