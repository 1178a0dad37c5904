# What the scripts beside this one share. Each is run from the checkout's root, by the Makefile.
#
#   KUBECONFIG                 the cluster
#   IMAGE=papermesh:dev        the image, as the cluster's nodes know it
#   NAMESPACE                  where to install; a script that needs a new one makes it
#   HELM_ARGS="--set …"        more arguments for helm install and upgrade

[ ! -x .venv/go/bin/helm ] || PATH=$PWD/.venv/go/bin:$PATH # the one that the tests know goes first
chart=deploy/helm/papermesh
release=${RELEASE:-papermesh}
image=${IMAGE:-papermesh:dev}

say() { printf '  %s\n' "$*"; }

fail() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

need() {
    command -v "$1" >/dev/null 2>&1 || fail "$1 is needed and not on the PATH. $2"
}

need_tools() {
    need helm "https://helm.sh/docs/intro/install has it, and make test-all builds one with Go."
    need kubectl "https://kubernetes.io/docs/tasks/tools has it."
}

reaches_cluster() {
    need_tools
    kubectl version --request-timeout=10s >/dev/null 2>&1 ||
        fail "No cluster answers. KUBECONFIG names the file that says where it is."
}

# A namespace that lets nothing in but pods of the restricted kind.
make_namespace() {
    kubectl create namespace "$1" >/dev/null
    kubectl label namespace "$1" pod-security.kubernetes.io/enforce=restricted \
        pod-security.kubernetes.io/warn=restricted >/dev/null
}

# Installs or upgrades and waits until everything is ready: install NAMESPACE [arguments of helm]
install() {
    namespace=$1
    shift
    # HELM_ARGS is split where it has spaces.
    # shellcheck disable=SC2086
    helm upgrade --install "$release" "$chart" --namespace "$namespace" --wait --timeout 10m \
        --set "image.repository=${image%:*},image.tag=${image##*:}" "$@" ${HELM_ARGS:-}
}

# Everything that would help to see why it failed.
explain() {
    kubectl -n "$1" get pods -o wide || true
    kubectl -n "$1" get events --field-selector type=Warning --sort-by .lastTimestamp | tail -n 20 || true
    for pod in $(kubectl -n "$1" get pods -o name); do
        echo "== $pod"
        kubectl -n "$1" logs "$pod" --all-containers --tail 15 || true
    done
}
