"""An example: a small shop.

It shows each pattern once, in the place where a team would write its own: `services.py` changes
data under a lock, `tasks.py` does what follows, `views.py` and `serializers.py` are the API.
"""
