"""Uploaded files: private objects in a bucket, under names of ours, read by links that expire.

Decides: where files go and who reads them. Reads S3_BUCKET, S3_ENDPOINT_URL, S3_MEDIA_DOMAIN,
S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY. Without it an upload stays on the disk of the one replica
that took it. To lift it out: take `core/storage/`.
"""

from typing import Any

from config.env import env
from config.settings.components.static import STORAGES as _STATIC

STORAGES: dict[str, dict[str, Any]] = {
    **_STATIC,
    "default": {
        "BACKEND": "core.storage.s3.PrivateS3Storage",
        "OPTIONS": {
            "bucket_name": env.S3_BUCKET,
            "endpoint_url": env.S3_ENDPOINT_URL,
            "media_domain": env.S3_MEDIA_DOMAIN,
            "access_key": env.S3_ACCESS_KEY_ID,
            "secret_key": env.S3_SECRET_ACCESS_KEY,
        },
    },
}
