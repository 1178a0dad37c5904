#!/bin/sh
# Builds the image with docker, podman or buildah, whichever is there and works: `make image`.
#
#   IMAGE=papermesh:dev        what to call it
#   BASE_IMAGE=registry/name   what to build it on instead of the Dockerfile's default; name@sha256:… is that and no other
#   BUILDER=podman             which of them to take
#   BUILD_OPTIONS="--pull"     more options for the builder
#
# All files bear the date of the last commit, so two builds of one commit give the same layers; docs/image.md says what that
# takes with docker. The image's labels say which base it stands on, by digest.
set -eu
cd "$(dirname "$0")/../.."

image=${IMAGE:-papermesh:dev}

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# A docker without its daemon is there and does not work; nor does one without buildx, for this.
works() {
    case $1 in
    docker) docker info >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

if [ -z "${BUILDER:-}" ]; then
    for BUILDER in docker podman buildah none; do
        ! works "$BUILDER" || break
    done
fi

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} ||
    fail "This is no git checkout. Set SOURCE_DATE_EPOCH, the date of the files in seconds since 1970, and run this again."
export SOURCE_DATE_EPOCH

# Brings an image where a builder builds on its own copies; anew if BUILD_OPTIONS ask for that.
bring() {
    case " ${BUILD_OPTIONS:-} " in
    *" --pull"*) "$BUILDER" pull --quiet "$1" ;;
    *) "$BUILDER" inspect --type image "$1" >/dev/null 2>&1 || "$BUILDER" pull --quiet "$1" ;;
    esac >/dev/null
}

# The digest of what a reference names now.
digest() {
    case $BUILDER:$1 in
    *@sha256:*) printf '%s\n' "${1##*@}" ;;
    docker:*) docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1" ;;
    podman:*) bring "$1" && podman inspect --type image --format '{{.Digest}}' "$1" ;;
    buildah:*) bring "$1" && buildah inspect --type image --format '{{.FromImageDigest}}' "$1" ;;
    esac
}

# A tag may name another image a moment later: what is built on is the digest that the labels say.
pin() {
    asked=${BASE_IMAGE:-$(sed -n 's/^ARG BASE_IMAGE=//p' deploy/image/Dockerfile)}
    found=$(digest "$asked") || found=
    case $found in
    sha256:*) ;;
    *)
        echo "The digest of $asked cannot be told, so the image will not say what it stands on. Name it by its digest." >&2
        return
        ;;
    esac
    name=${asked%@*}
    case ${name##*/} in *:*) name=${name%:*} ;; esac
    BASE_IMAGE=$name@$found
    labels="--label org.opencontainers.image.base.name=$asked --label org.opencontainers.image.base.digest=$found"
}

# The builder inside docker's own daemon refuses to change the dates of files (moby/buildkit#4230); all others can. Without the
# attestation of where it comes from, which has the minute of the build, and which `kind load` cannot take (kind#3795).
with_docker() {
    driver=$(docker buildx inspect | sed -n 's/^Driver: *//p')
    case $driver in
    docker | "") dated= ;;
    *) dated=,rewrite-timestamp=true ;;
    esac
    docker buildx build --provenance=false --output "type=docker$dated" "$@" .
}

case $BUILDER in
docker | podman | buildah)
    works "$BUILDER" ||
        fail "$BUILDER does not work here: it is not on the PATH, its daemon does not answer, or it has no buildx."
    labels=
    pin
    set -- --file deploy/image/Dockerfile --tag "$image" $labels # words without spaces
    [ -z "${BASE_IMAGE:-}" ] || set -- "$@" --build-arg "BASE_IMAGE=$BASE_IMAGE"
    [ -z "${BUILD_OPTIONS:-}" ] || set -- "$@" $BUILD_OPTIONS # options, so split where it has spaces
    ;;
esac
case $BUILDER in
docker) with_docker "$@" ;;
podman) podman build --timestamp "$SOURCE_DATE_EPOCH" "$@" . ;;
buildah) buildah build --layers --timestamp "$SOURCE_DATE_EPOCH" "$@" . ;;
none) fail "An image is built with docker, podman or buildah, and none of them works here. Install one and run this again." ;;
*) fail "Not a builder: $BUILDER. There are docker, podman and buildah." ;;
esac
echo "Built $image${labels:+ on $BASE_IMAGE}."
