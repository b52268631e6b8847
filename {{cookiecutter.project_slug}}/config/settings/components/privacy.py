"""What the tables of Django, its libraries and `core` say of a person; an app's own say it in its
`privacy.py`.

Decides: what a masked copy of production keeps, and what may never be masked. Reads
PRODUCTION_DATABASE_URL. Without it an address of a customer is in every developer's database. To
lift it out: take `core/privacy/` and `core/anonymise/`.
"""

from config.env import env
from core.privacy.kinds import EMAIL, EMPTIED, PUBLIC, Declaration

PRIVACY: dict[str, Declaration] = {
    "admin.LogEntry": EMPTIED,  # names what staff saw and changed
    "auth.Permission": {PUBLIC: "name codename"},
    "auth.Group": {PUBLIC: "name"},
    "contenttypes.ContentType": {PUBLIC: "app_label model"},
    "sessions.Session": EMPTIED,
    "account.EmailAddress": {EMAIL: "email", PUBLIC: "verified primary"},
    "account.EmailConfirmation": EMPTIED,
    "mfa.Authenticator": EMPTIED,
    "core_beat.Lease": EMPTIED,
    "core_beat.Tick": {PUBLIC: "entry due_at"},
    "core_deadletters.DeadLetter": EMPTIED,
    "core_executions.Execution": EMPTIED,
    "core_idempotency.Answer": EMPTIED,
    "core_jobs.Job": EMPTIED,
    "core_lockout.Counter": EMPTIED,
    # In the copy they would be published: a mail, a payment, a webhook to a customer.
    "core_outbox.Message": EMPTIED,
    "core_webhooks.Received": EMPTIED,
}

# By the one name that is production, so that a new environment has to be told which it is not.
ANONYMISE_REFUSED = env.DJANGO_SETTINGS_MODULE == "config.settings.production"
PRODUCTION_DATABASE = env.PRODUCTION_DATABASE_URL
