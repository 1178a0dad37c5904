#!/bin/sh
# Brings better trained data for Tesseract than Debian's into FOLDER, where npm is there: deploy/local/ocr_data.sh FOLDER
#
# From the npm packages @tesseract.js-data/kor and /eng (MIT): Tesseract's best models, in integers. Korean and English read
# with them are righter on nearly every kind of page, for 10 to 40 % more CPU. Debian's other languages lie beside them,
# since Tesseract looks into one folder. Whatever is missing, this ends well and leaves no folder: Debian's data is then used.
set -eu

folder=$1
installed=/usr/share/tesseract-ocr/5/tessdata

[ ! -e "$folder" ] || exit 0
[ -d "$installed" ] && command -v npm >/dev/null 2>&1 || exit 0

new=$folder.new
rm -rf "$new"
mkdir -p "$new"
trap 'rm -rf "$new"' EXIT

# bring LANGUAGE SHA256-OF-ITS-DATA
bring() {
    (cd "$new" && timeout 120 npm pack --silent --fetch-retries=1 "@tesseract.js-data/$1@1.0.0" >/dev/null 2>&1) || exit 0
    tar -xzf "$new/tesseract.js-data-$1-1.0.0.tgz" -C "$new" "package/4.0.0_best_int/$1.traineddata.gz" || exit 0
    gzip -cd "$new/package/4.0.0_best_int/$1.traineddata.gz" >"$new/$1.traineddata"
    rm -rf "$new/package" "$new/tesseract.js-data-$1-1.0.0.tgz"
    if ! echo "$2  $new/$1.traineddata" | sha256sum --check --status; then
        echo "  The trained data of $1 is not what it was; Debian's is used." >&2
        exit 0
    fi
}

bring kor ec1749377d49ac38fb3d3cd05dd5e2a53359d329f359762bc638a81132109992
bring eng 5dc5d8d640a212c9d6184921ba103b186f50e0fed9ee716c53e6b312b400d747
for data in "$installed"/*.traineddata; do
    # osd detects orientation, for which nothing here asks Tesseract.
    [ -e "$new/${data##*/}" ] || [ "${data##*/}" = osd.traineddata ] || cp "$data" "$new/"
done
mv "$new" "$folder"
