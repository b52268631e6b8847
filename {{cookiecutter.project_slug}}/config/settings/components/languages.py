"""Languages: which ones pages, the admin and the API's errors are given in.

Decides: what is offered and what an unknown language gets. Reads nothing. With one language nothing
asks the browser; add a second, and `make messages L=de` (docs/operations/languages.md). To lift it
out: take `locale/` and scripts/messages.py.
"""

from config.env import BASE_DIR

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
# It costs a request some 50 µs of 320 (`make bench`), and `Vary: Accept-Language` makes a cache
# keep a copy for each browser's list: neither is paid for one language.
LOCALE_MIDDLEWARE = ["django.middleware.locale.LocaleMiddleware"] if len(LANGUAGES) > 1 else []
