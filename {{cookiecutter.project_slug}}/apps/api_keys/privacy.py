"""What a key says of its owner, and what opens something."""

from core.privacy import NAME, PUBLIC, TOKEN, Declaration

PRIVACY: dict[str, Declaration] = {
    "api_keys.ApiKey": {
        NAME: "name",
        TOKEN: "prefix digest",
        PUBLIC: "created_at last_used_at expires_at revoked_at",
    },
}
