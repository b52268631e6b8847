"""Every address of the streaming process, all below /stream/; the web process knows none of them.

Views are `async def` and use the ORM's asynchronous methods. What a stream queries once it runs
holds a connection of the process's small pool until it says `await give_back()`
(`core.db.connection`).
"""

from django.urls import URLPattern, URLResolver

from core.problems.handlers import bad_request, not_found, permission_denied, server_error

handler400 = bad_request
handler403 = permission_denied
handler404 = not_found
handler500 = server_error

urlpatterns: list[URLPattern | URLResolver] = []
