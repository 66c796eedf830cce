#!/usr/bin/env bash
# run.sh TEST BUILD-FOLDER: a test of this folder, with the Python that has MLflow's client.
here=$(dirname "$(readlink -f "$0")")
python=$here/../../.clients/bin/python
if ! cmp -s "$here/requirements.txt" "$here/../../.clients/requirements.txt"; then
  echo "skipped: MLflow's client is not there, or not in the version that tests/clients/requirements.txt names (./x setup test)"
  exit 77
fi
exec "$python" -B -W ignore::FutureWarning "$here/$1" "$2"
