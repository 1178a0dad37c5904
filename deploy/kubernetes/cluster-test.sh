#!/bin/sh
# Proves the chart on the cluster that KUBECONFIG names: `make cluster-test`. It makes a namespace of its own and removes it.
# The nodes must have the images already.
#
#   NEW_IMAGE=papermesh:next   what an upgrade leads to; the same build under another name will do
#   TESTS=tests/cluster/soak   which tests; without it, those that take minutes
#   ARGS="-k paths"            more arguments for pytest
set -eu
cd "$(dirname "$0")/../.."
. deploy/kubernetes/lib.sh

reaches_cluster
new_image=${NEW_IMAGE:-}
[ -n "$new_image" ] && [ "$new_image" != "$image" ] ||
    fail "NEW_IMAGE names a second image, which an upgrade leads to. The same build under another name will do."
namespace=${NAMESPACE:-papermesh-test-$$}
scratch=$(mktemp -d)

step() { printf '\n== %s\n' "$*"; }

cleanup() {
    status=$?
    trap - EXIT INT TERM
    [ $status -eq 0 ] || explain "$namespace" >&2
    rm -rf "$scratch"
    kubectl delete namespace "$namespace" --wait=false >/dev/null 2>&1 || true
    exit $status
}

make_namespace "$namespace"
trap cleanup EXIT INT TERM

# Kinds that the cluster may not have are left out here; tests/deploy/helm checks them by their makers' schemas.
known_kinds() {
    awk 'BEGIN { RS = "\n---\n" } !/apiVersion: (cert-manager|monitoring\.coreos|gateway\.networking)/ { print "---\n" $0 }'
}

version=$(kubectl version -o json 2>/dev/null | sed -n '/serverVersion/,$s/.*"gitVersion": "v\([0-9.]*\).*/\1/p')

step "What the API server says of it"
for values in default minimal production external-everything additions; do
    helm template "$release" "$chart" --namespace "$namespace" --kube-version "$version" \
        --values "$chart/ci/$values.yaml" >"$scratch/all.yaml"
    known_kinds <"$scratch/all.yaml" >"$scratch/known.yaml"
    kubectl apply --namespace "$namespace" --dry-run=server --warnings-as-errors -f "$scratch/known.yaml" >/dev/null
    say "$values: accepted"
done

step "Installing"
began=$(date +%s)
install "$namespace" --values tests/cluster/values.yaml >/dev/null
say "all ready after $(($(date +%s) - began)) s"

step "A signed call on a real PDF"
helm test "$release" --namespace "$namespace" >/dev/null
say "answered"

step "${TESTS:-tests/cluster: an upgrade under load, the paths, a service that joins, scaling, away and back}"
# Both are split where they have spaces.
# shellcheck disable=SC2086
PAPERMESH_CLUSTER_NAMESPACE=$namespace PAPERMESH_CLUSTER_RELEASE=$release PAPERMESH_CLUSTER_IMAGE=$image \
    PAPERMESH_CLUSTER_NEW_IMAGE=$new_image \
    .venv/bin/pytest -s ${TESTS:-tests/cluster/test_*.py} ${ARGS:-}
