"""The REST API's mechanism: parsing and rendering, parameters, pages, throttles."""
