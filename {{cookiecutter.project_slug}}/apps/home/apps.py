"""The home app."""

import logging

from django.apps import AppConfig
from django.conf import settings


class HomeConfig(AppConfig):
    """The first page a developer sees."""

    name = "apps.home"
    label = "home"

    def ready(self) -> None:
        """Fill the page; the panels of other apps come below, in the order of INSTALLED_APPS."""
        from apps.home import build, dependencies, logs, panels, processes, queues

        panels.register("Servers", dependencies.dependencies)
        panels.register("Processes", processes.processes)
        panels.register("Queues", queues.queues)
        panels.register("This build", build.build, aside=True)
        if settings.DEBUG:
            logging.getLogger("request").addFilter(logs.NotTheRefresh())
