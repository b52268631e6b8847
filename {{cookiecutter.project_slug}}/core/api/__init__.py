"""The REST API's mechanism: bodies in and out, and how often one may call."""
