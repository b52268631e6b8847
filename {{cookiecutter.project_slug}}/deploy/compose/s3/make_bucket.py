"""Make the bucket of uploads, where it is missing; runs once at each `make up`, in our image."""

from __future__ import annotations

import boto3
from botocore.exceptions import ClientError

from config.env import env

client = boto3.client(
    "s3",
    endpoint_url=env.S3_ENDPOINT_URL,
    region_name="us-east-1",
    aws_access_key_id=env.S3_ACCESS_KEY_ID,
    aws_secret_access_key=env.S3_SECRET_ACCESS_KEY,
)
try:
    client.create_bucket(Bucket=env.S3_BUCKET)
except ClientError as error:
    if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
        raise
