#!/usr/bin/env bash
# Installs the tools that test/emulators runs, into .venv. Needs Python 3 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement test/emulators/requirements.txt
