"""Puts documents into a store until it is killed, and says the digest of each once it is stored: a process to kill."""

import asyncio
import hashlib
import os
import sys
from pathlib import Path

from services.base.blobs import BlobStore, Namespace


async def main(url: str, folder: Path) -> None:
    store, file = BlobStore(url), folder / "document"
    while True:
        content = b"%PDF-1.7\n" + os.urandom(20_000)
        file.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        await store.put(Namespace.UPLOADS, sha256, file)
        sys.stdout.write(f"{sha256}\n")
        sys.stdout.flush()


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
