"""`drills.app.web` whose orders write drill_item as the last release knows it: with a note."""

from drills.app.web import Orders, application

Orders.also = "INSERT INTO drill_item (request_id, note) VALUES (%s, 'said')"

__all__ = ["application"]
