"""What a drill asks the service for: a row, and an effect that must follow it; no product."""
