#!/bin/sh
# What runs with the repository's rights is read by zizmor, without network, and fits its schema.
# A part of make check, and a hook. The tools stand on PATH.
set -eu
cd "$(dirname "$0")/.."
zizmor --offline --persona pedantic --no-progress --quiet .github
check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
prek validate-config .pre-commit-config.yaml
