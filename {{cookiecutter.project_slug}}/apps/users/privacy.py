"""What an account says of its owner."""

from core.privacy import EMAIL, NAME, PUBLIC, SECRET, Declaration

PRIVACY: dict[str, Declaration] = {
    "users.User": {
        EMAIL: "email",
        NAME: "name",
        SECRET: "password",
        PUBLIC: "is_staff is_active is_superuser last_login sessions_stale_until created_at",
    },
}
