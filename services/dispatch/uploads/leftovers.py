"""Files of uploads and results that a killed process left behind."""

import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

_OLD_S = 3600
"""No upload takes this long. The store may be shared: what another dispatch is writing right now must stay."""


def remove(spool_dir: Path, blobs_url: str) -> None:
    """Removes what nobody will finish.

    Args:
        spool_dir: The spool folder of this process, which writes nothing there yet.
        blobs_url: The blob store. A folder is looked through; a bucket drops unfinished uploads by its own rules.
    """
    for pattern in ("upload-*", "result-*"):
        for unfinished in spool_dir.glob(pattern):
            unfinished.unlink(missing_ok=True)
    store = urlsplit(blobs_url)
    if store.scheme != "file":
        return
    # The store writes beside the blob, to <digest>#<number>, and renames when all is there.
    for staged in Path(unquote(store.path)).glob("*/*/*#*"):
        with suppress(FileNotFoundError):  # another dispatch has just finished it, or removed it
            if staged.stat().st_mtime < time.time() - _OLD_S:
                staged.unlink()
