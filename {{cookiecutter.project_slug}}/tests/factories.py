"""Users for tests; an example's factories stand beside its tests."""

from __future__ import annotations

import factory

from apps.users.models import User

PASSWORD = "correct horse battery staple"


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A user with a name, an address and `PASSWORD`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@example.org")
    name = "Ada"
    password = factory.django.Password(PASSWORD)
