#!/bin/sh
# Every check of `make lint`, one line each; the output of those that fail follows. All run, so that one look shows all.
set -u
cd "$(dirname "$0")/../.."

bin=.venv/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

check() {
    name=$1
    shift
    if "$@" >"$scratch/output" 2>&1; then
        printf '  ok      %s\n' "$name"
    else
        printf '  FAILED  %s\n' "$name"
        sed 's/^/          /' "$scratch/output"
        failed=1
    fi
}

# Generated elsewhere and compared, so that a check never writes into the tree.
generated_is_current() {
    cp -R proto third_party "$scratch/" && $bin/python "$scratch/proto/generate.py" || return 1
    diff -r -q -x __pycache__ "$scratch/gen" gen || {
        echo "gen/ differs from what the protos generate; run make gen and commit it."
        return 1
    }
}

check "code: ruff check" $bin/ruff check --quiet
check "format: ruff format" $bin/ruff format --check
check "types: mypy" $bin/mypy
check "imports: lint-imports" $bin/lint-imports
check "protos: buf lint" $bin/buf lint
check "protos: gen/ is current" generated_is_current
check "envoy: rendered files are current, and accepted" $bin/python -m envoy check
exit $failed
