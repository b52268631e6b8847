"""How often somebody may guess a password, a code or a key, and cause mail.

NIST SP 800-63B-4 (3.2.2) allows at most 100 wrong guesses for an account; OWASP ASVS 5.0 (6.3.1)
asks for limits against guessing one account and against stuffing many. Three limits together:

- one account from one network: the common case, and the only one that an owner at the same
  address meets. Elsewhere the owner's password works all the while;
- one network, whatever the accounts: stuffing. Higher, for the people behind one address;
- one account, from anywhere: guessing by many machines. Networks from which its owner has logged
  in lately are exempt, or anybody with a hundred addresses could lock the owner out.

No lock is for ever, and what is refused is not counted: nobody can prolong one.
"""

from __future__ import annotations

from django.http import HttpRequest

from apps.users.models import User, normalized
from core.lockout import guard
from core.lockout.limits import Key, Limit
from core.requests.address import client_network

MINUTE, HOUR, DAY = 60, 3600, 86_400

ACCOUNT_AND_NETWORK = Limit("login-account-network", attempts=10, seconds=15 * MINUTE)
NETWORK = Limit("login-network", attempts=50, seconds=15 * MINUTE)
ACCOUNT = Limit("login-account", attempts=100, seconds=HOUR)
# How long a network counts as the owner's after a login from it.
OWN_NETWORK = Limit("login-own-network", attempts=1, seconds=30 * DAY)

# A code has 10^6 values, of which three are right at a time: 20 an hour find one in 2 years.
CODE = Limit("second-factor", attempts=5, seconds=15 * MINUTE)
CODE_ANYWHERE = Limit("second-factor-anywhere", attempts=20, seconds=HOUR)
# The old password, asked of somebody who has a session already.
PASSWORD = Limit("password-change", attempts=5, seconds=15 * MINUTE)
# Keys of mails have 128 bits or more; this bounds what trying them costs us.
KEY = Limit("mailed-key", attempts=30, seconds=15 * MINUTE)

# Mail to one address, and by one network: nobody's mailbox is filled through us.
MAIL = Limit("mail-recipient", attempts=5, seconds=HOUR)
MAIL_NETWORK = Limit("mail-network", attempts=30, seconds=HOUR)


def network(request: HttpRequest | None) -> str:
    """Where the client is, as far as it is counted; empty without a request."""
    return "" if request is None else client_network(request)


class LoginAttempt:
    """One password that somebody gives for an address, which may or may not have an account."""

    def __init__(self, request: HttpRequest | None, email: str) -> None:
        """Count it. Raises `LockedOut`."""
        account, origin = normalized(email), network(request)
        self._own = OWN_NETWORK.of(account, origin)
        self._both = ACCOUNT_AND_NETWORK.of(account, origin)
        keys = [self._both]
        if request is not None:
            keys.append(NETWORK.of(origin))
        if not guard.remembers(self._own):
            keys.append(ACCOUNT.of(account))
        self._attempt = guard.count(*keys)

    def password_was_right(self) -> None:
        """It was no guess. What others counted for the network and the account stays."""
        self._attempt.give_back()
        guard.forget(self._both)

    def is_complete(self) -> None:
        """The owner is in, by whatever factors there are: this network is theirs."""
        guard.remember(self._own)


class CodeAttempt:
    """One code of a second factor, given by somebody who knows the password."""

    def __init__(self, request: HttpRequest | None, user: User) -> None:
        """Count it. Raises `LockedOut`."""
        self._keys = (CODE.of(str(user.pk), network(request)), CODE_ANYWHERE.of(str(user.pk)))
        guard.count(*self._keys)

    def was_right(self) -> None:
        guard.forget(*self._keys)


def mail(request: HttpRequest, email: str) -> None:
    """Count a mail that somebody asks for. Raises `LockedOut`, for unknown addresses alike."""
    guard.count(MAIL.of(normalized(email)), MAIL_NETWORK.of(network(request)))


def mailed_key(request: HttpRequest) -> guard.Attempt:
    """Count the use of a key; give it back when the key was right. Raises `LockedOut`."""
    return guard.count(KEY.of(network(request)))


def password_of_session(user: User) -> Key:
    """The counter of old passwords given within a session."""
    return PASSWORD.of(str(user.pk))


def unlock_password(user: User) -> int:
    """Let somebody give passwords again from everywhere. Returns how many counters were deleted."""
    keys = (ACCOUNT_AND_NETWORK.of(user.email), ACCOUNT.of(user.email), PASSWORD.of(str(user.pk)))
    return sum(guard.forget_all(key) for key in keys)


def unlock(user: User) -> int:
    """The same for codes and mails too."""
    keys = (CODE.of(str(user.pk)), CODE_ANYWHERE.of(str(user.pk)), MAIL.of(user.email))
    return unlock_password(user) + sum(guard.forget_all(key) for key in keys)
