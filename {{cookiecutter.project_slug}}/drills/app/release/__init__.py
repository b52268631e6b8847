"""An app of one table, as the service meets its migrations: for drills alone, installed by none.

python -m drills.app.release [--careless] [--plain] migrate …

runs `manage.py migrate` for it, with the environment of the role migrate: with `--plain` by
Django's own command, with `--careless` by migrations that do in one step what takes three releases.
"""
