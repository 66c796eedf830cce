#!/usr/bin/env bash
# run.sh TEST BUILD-FOLDER: a test of this folder, with Debian's Python and what it needs from Debian.
here=$(dirname "$(readlink -f "$0")")
if ! /usr/bin/python3 -c 'import jsonschema, selenium' 2>/dev/null || ! command -v chromedriver >/dev/null; then
  echo "skipped: no Chromium with its driver, or no Selenium or jsonschema for Python (./x setup test)"
  exit 77
fi
exec /usr/bin/python3 -B "$here/$1" "$2"
