#!/usr/bin/env bash
# Installs the tools that test/emulators runs, into .venv. Needs Python 3 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."

REQUIREMENTS=test/emulators/requirements.txt
CLOCK=libfaketime
EMULATOR=ministack

python3 -m venv .venv
install() { .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"; }
pinned() { grep "^$1==" "$REQUIREMENTS"; }

install --requirement <(grep -v -e "^$CLOCK==" -e "^$EMULATOR==" "$REQUIREMENTS")

# It asks for a botocore of its own, which it does not use and which the AWS CLI and boto3 cannot share.
install --no-deps "$(pinned "$EMULATOR")"

# The clock that tests move for whole processes. It is preloaded, which Linux alone allows for every program; its
# wheel holds a library for x86-64, and elsewhere it is built.
case "$(uname -s) $(uname -m)" in
  'Linux x86_64') build=() ;;
  Linux*) build=(--no-binary "$CLOCK") ;;
  *)
    echo "$CLOCK works on Linux alone: the tests of renewals in real time are skipped" >&2
    exit
    ;;
esac
install "${build[@]}" "$(pinned "$CLOCK")" ||
  echo "$CLOCK could not be installed: the tests of renewals in real time are skipped; cc and make build it" >&2
