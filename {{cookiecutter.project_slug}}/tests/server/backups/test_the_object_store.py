"""deploy/backup/object-store on the real S3 server: who can write backups cannot take them away."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.servers import RadosGateway
from tests.object_store import client
from tests.server.backups.vault import SCRIPTS

POLICIES = SCRIPTS / "object-store"
BUCKET = "service-backups"


def policy(name: str) -> Any:
    return json.loads((POLICIES / name).read_text())


def refused(call: Callable[..., object], **words: str) -> bool:
    with pytest.raises(ClientError) as error:
        call(Bucket=BUCKET, **words)
    return bool(error.value.response["Error"]["Code"] == "AccessDenied")


def test_the_hosts_key_adds_a_backup_and_can_neither_read_list_nor_delete_one(
    object_store: RadosGateway,
) -> None:
    owner = client(object_store)
    owner.create_bucket(Bucket=BUCKET)
    owner.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    owner.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy("writer.json")))
    first = owner.put_object(Bucket=BUCKET, Key="old.dump.age", Body=b"old")["VersionId"]
    host = client(object_store, **object_store.add_user("backup"))

    host.put_object(Bucket=BUCKET, Key="new.dump.age", Body=b"new")
    assert refused(host.get_object, Key="old.dump.age")
    assert refused(host.delete_object, Key="old.dump.age")
    assert refused(host.delete_object, Key="old.dump.age", VersionId=first)
    assert refused(host.list_objects_v2)
    assert refused(host.put_bucket_policy, Policy=json.dumps(policy("writer.json")))
    # Over an old one it may write; what stood there stays below.
    host.put_object(Bucket=BUCKET, Key="old.dump.age", Body=b"")
    kept = owner.get_object(Bucket=BUCKET, Key="old.dump.age", VersionId=first)["Body"].read()
    assert kept == b"old"


@pytest.mark.parametrize("name", ["backups-lifecycle.json", "media-lifecycle.json"])
def test_the_store_takes_the_lifecycle(object_store: RadosGateway, name: str) -> None:
    owner = client(object_store)
    owner.create_bucket(Bucket="rules")
    # This server has nobody who would carry the rules out, says so by a 403, and keeps them.
    with contextlib.suppress(owner.exceptions.AccessDenied):
        owner.put_bucket_lifecycle_configuration(
            Bucket="rules", LifecycleConfiguration=policy(name)
        )
    [rule] = owner.get_bucket_lifecycle_configuration(Bucket="rules")["Rules"]
    assert rule["ID"] == policy(name)["Rules"][0]["ID"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] >= 30


def test_nothing_leaves_by_the_lifecycle_while_it_is_locked() -> None:
    """A rule that comes sooner is refused for each object, every day, without a word."""
    locked = policy("lock.json")["Rule"]["DefaultRetention"]
    [rule] = policy("backups-lifecycle.json")["Rules"]
    assert locked["Mode"] == "COMPLIANCE"
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] >= locked["Days"]
    assert rule["Expiration"]["Days"] >= locked["Days"]
