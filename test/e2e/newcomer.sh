#!/bin/sh
# newcomer.sh REPOSITORY FOLDER: a newcomer's way to a cluster, from a fresh
# clone, with the lines of README's "On a real cluster". LOAD loads an image's
# archive on all nodes, BESIDE runs a command where the API server can be
# reached, KUBECONFIG and CONTEXT name the cluster; the report lies in
# FOLDER/run.
set -eu
: "${LOAD:?}" "${BESIDE:?}" "${KUBECONFIG:?}" "${CONTEXT:?}"
git clone -q "$1" "$2/cnibench"
cd "$2/cnibench"
make build
bin/cnibench image -o cnibench.tar
$LOAD "$PWD/cnibench.tar"
$BESIDE "$PWD/bin/cnibench" run --context "$CONTEXT" --rounds 6 --duration 200ms --out "$2/run"
