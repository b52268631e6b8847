"""The reader of the environment: strict, complete, and silent about values."""

from pathlib import Path

import pytest

from config.env import load
from core.environment import InvalidEnvironmentError

KEY = "k3y-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ"
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SERVICE_NAME": "shop",
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "shop.example.org, www.example.org",
    "ADMIN_HOST": "admin.example.org",
    "FORWARDED_ALLOW_IPS": "10.0.0.0/8",
    "DATABASE_URL": "postgresql://app:p%40ss@pgbouncer:6432/shop?sslmode=require",
    "CACHE_URL": "redis://cache:6379/0",
    "BROKER_URL": "redis://broker:6379/0",
    "S3_BUCKET": "shop-media",
    "S3_ENDPOINT_URL": "https://s3.eu-central-1.amazonaws.com",
    "EMAIL_URL": "smtp+tls://user:secret@mail.example.org",
    "DEFAULT_FROM_EMAIL": "shop@example.org",
}


def problems(changes: dict[str, str | None], *, base: dict[str, str] = PRODUCTION) -> list[str]:
    merged = {**base, **changes}
    source = {name: value for name, value in merged.items() if value is not None}
    with pytest.raises(InvalidEnvironmentError) as caught:
        load(source)
    return caught.value.problems


def test_a_complete_production_environment_is_parsed_into_types() -> None:
    env = load(PRODUCTION)

    assert env.ALLOWED_HOSTS == ["shop.example.org", "www.example.org"]
    assert (env.DATABASE_URL.host, env.DATABASE_URL.port) == ("pgbouncer", 6432)
    assert env.DATABASE_URL.password == "p@ss"
    assert env.DATABASE_URL.options == {"sslmode": "require"}
    assert env.EMAIL_URL["OPTIONS"]["port"] == 587
    assert env.DEBUG is False
    assert env.WEB_CONCURRENCY is None


def test_every_missing_variable_is_named_at_once() -> None:
    found = problems(dict.fromkeys(PRODUCTION.keys() - {"DJANGO_SETTINGS_MODULE"}))

    named = {line.split()[0] for line in found}
    assert named == PRODUCTION.keys() - {"DJANGO_SETTINGS_MODULE"}
    assert all("production" in line for line in found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("PORT", "ten"),
        ("PORT", "8000.5"),
        ("PORT", "99999"),
        ("THREADS", "0"),
        ("LOG_LEVEL", "LOUD"),
        ("ALLOWED_HOSTS", "https://shop.example.org"),
        ("ALLOWED_HOSTS", "shop.example.org:8000"),
        ("ADMIN_HOST", "*"),
        ("ADMIN_HOST", ".example.org"),
        ("CSRF_TRUSTED_ORIGINS", "www.example.org"),
        ("FORWARDED_ALLOW_IPS", "proxy"),
        ("FORWARDED_ALLOW_IPS", "10.1.2.3/8"),
        ("DATABASE_URL", "mysql://app:hunter2hunter2@db/shop"),
        ("DATABASE_URL", "postgresql://app:hunter2hunter2@db:99999/shop"),
        ("DATABASE_URL", "postgresql://app:hunter2@hunter2@db/shop"),
        ("DATABASE_URL", "postgresql://app:hunter2 hunter2@db/shop"),
        ("DATABASE_URL", "postgresql://app:hunter2hunter2@db"),
        ("DATABASE_URL", "postgresql://app:hunter2hunter2@/shop"),
        ("DATABASE_URL", "postgresql://db/shop"),
        ("DATABASE_URL", "postgresql://app:hunter2hunter2@pg1,pg2/shop"),
        ("DATABASE_URL", "postgresql://app:hunter2hunter2@pg1:5432,pg2:5432/shop"),
        ("DATABASE_URL", "postgresql://app:hunter2hunter2@db/shop?pool=true"),
        ("DATABASE_URL", "postgresql://app:hunter2hunter2@db/shop?options=-c%20lock_timeout%3D1"),
        ("CACHE_URL", "redis://:hunter2hunter2@cache:6379"),
        ("CACHE_URL", "locmem://"),
        ("BROKER_URL", "sqs://hunter2hunter2@"),
        ("EMAIL_URL", "mail.example.org"),
        ("SERVICE_NAME", "shop\nforged"),
        ("DJANGO_SETTINGS_MODULE", "shop.settings"),
    ],
)
def test_a_bad_value_is_refused_by_name_and_never_shown(name: str, value: str) -> None:
    found = problems({name: value})

    assert [line.split()[0] for line in found] == [name]
    # A path of the documents may hold a short word such as "ten"; a secret never.
    assert "hunter2" not in "".join(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "true"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 60),
        ("SECRET_KEY", "django-insecure-" + KEY),
        ("SECRET_KEY_FALLBACKS", f"{KEY},short"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", " , "),
        ("BROKER_URL", "redis://cache/1"),
        ("EMAIL_URL", "console://"),
        ("EMAIL_URL", "memory://"),
        ("METRICS_PORT", "8000"),
    ],
)
@pytest.mark.parametrize("environment", ["staging", "production"])
def test_what_development_may_do_a_deployed_environment_refuses(
    name: str, value: str, environment: str
) -> None:
    found = problems({name: value, "DJANGO_SETTINGS_MODULE": f"config.settings.{environment}"})

    assert len(found) == 1
    assert name in found[0]


def test_an_unknown_environment_is_held_to_the_demands_of_production() -> None:
    found = problems({"DJANGO_SETTINGS_MODULE": None, "SECRET_KEY": "short"})

    assert [line.split()[0] for line in found] == ["DJANGO_SETTINGS_MODULE", "SECRET_KEY"]


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_is_read_from_the_file_that_its_twin_names(tmp_path: Path, ending: str) -> None:
    secret = tmp_path / "key"
    secret.write_bytes((KEY + ending).encode())

    env = load({**PRODUCTION, "SECRET_KEY": "", "SECRET_KEY_FILE": str(secret)})

    assert env.SECRET_KEY == KEY


def test_a_secret_file_that_is_missing_empty_or_doubled_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    missing = {"SECRET_KEY": None, "SECRET_KEY_FILE": str(tmp_path / "absent")}
    empty = {"SECRET_KEY": None, "SECRET_KEY_FILE": str(tmp_path / "empty")}
    doubled = {"SECRET_KEY_FILE": str(tmp_path / "empty")}

    assert "cannot be read" in problems(missing)[0]
    assert "is empty" in problems(empty)[0]
    assert "is set twice" in problems(doubled)[0]


def test_a_key_that_starts_with_a_dollar_is_a_key() -> None:
    assert load({**PRODUCTION, "SECRET_KEY": "$" + KEY}).SECRET_KEY == "$" + KEY


def test_rabbitmq_beside_the_cache_on_one_host_is_allowed_in_production() -> None:
    source = {
        **PRODUCTION,
        "CACHE_URL": "redis://127.0.0.1/0",
        "BROKER_URL": "amqp://user:pass@127.0.0.1//",
    }

    assert load(source).BROKER_URL.startswith("amqp://")


def test_two_names_of_this_machine_are_one_instance() -> None:
    source = {"CACHE_URL": "redis://localhost/0", "BROKER_URL": "redis://127.0.0.1:6379/1"}

    assert "BROKER_URL" in problems(source)[0]


def test_one_instance_for_cache_and_broker_is_allowed_in_development() -> None:
    source = {
        **PRODUCTION,
        "DJANGO_SETTINGS_MODULE": "config.settings.development",
        "BROKER_URL": "redis://cache:6379/1",
    }

    assert load(source).BROKER_URL == "redis://cache:6379/1"


def test_the_representation_of_a_database_hides_its_password() -> None:
    assert "p@ss" not in repr(load(PRODUCTION).DATABASE_URL)


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_DIRECT_URL"])
def test_startup_options_are_refused_with_the_place_where_timeouts_belong(name: str) -> None:
    found = problems({name: "postgresql://app:p@db/shop?options=-c%20statement_timeout%3D5s"})

    assert "deploy/postgres/roles.sql" in found[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("security@example.org", "mailto:security@example.org"),
        ("mailto:security@example.org", "mailto:security@example.org"),
        ("https://example.org/security", "https://example.org/security"),
        ("tel:+1-201-555-0123", "tel:+1-201-555-0123"),
    ],
)
def test_a_contact_for_finders_of_holes_becomes_a_uri(written: str, meant: str) -> None:
    assert meant == load({**PRODUCTION, "SECURITY_CONTACT": written}).SECURITY_CONTACT


@pytest.mark.parametrize(
    "written",
    ["somebody", "http://example.org/", "https://", "a@b c", "a@b\nContact: mailto:evil@x", "a@ü"],
)
def test_a_contact_that_nobody_can_use_is_refused(written: str) -> None:
    [problem] = problems({"SECURITY_CONTACT": written})
    assert problem.startswith("SECURITY_CONTACT")
