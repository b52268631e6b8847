"""`drills.app.web` whose orders write drill_item as this release knows it: with a remark."""

from drills.app.web import Orders, application

Orders.also = "INSERT INTO drill_item (request_id, remark) VALUES (%s, 'said')"

__all__ = ["application"]
