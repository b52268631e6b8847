"""The REST API's mechanism: errors, parsing, pages, schema."""
