#!/bin/sh
# From nothing to the first call, on kind: `make kind`. Needs Docker, kind, kubectl and helm. Run again, it upgrades what is there.
#
#   CLUSTER=papermesh          kind's name of the cluster
set -eu
cd "$(dirname "$0")/../.."
. deploy/kubernetes/lib.sh

cluster=${CLUSTER:-papermesh}
namespace=${NAMESPACE:-papermesh}

need docker "kind runs its nodes in it."
need kind "https://kind.sigs.k8s.io has it."
need_tools
docker info >/dev/null 2>&1 || fail "Docker is here, but its daemon does not answer. Start it and run this again."

if ! kind get clusters 2>/dev/null | grep -qx "$cluster"; then
    say "Making the cluster $cluster"
    kind create cluster --name "$cluster" --wait 2m
fi
kind export kubeconfig --name "$cluster" # also for a cluster that was made with another KUBECONFIG
reaches_cluster

BUILDER=docker IMAGE=$image deploy/image/build.sh
# Named by what is in it: pods are replaced when their image has another name, and only then.
built=$(docker image inspect --format '{{.Id}}' "$image")
named=${image%:*}:$(printf %.12s "${built#sha256:}")
docker tag "$image" "$named"
image=$named
say "Loading $image onto the node"
kind load docker-image "$image" --name "$cluster"

kubectl get namespace "$namespace" >/dev/null 2>&1 || make_namespace "$namespace"
say "Installing"
install "$namespace" || { explain "$namespace" >&2; fail "It was not installed; see above."; }
helm test "$release" --namespace "$namespace"
