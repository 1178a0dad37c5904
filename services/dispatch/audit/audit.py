"""The audit log: one line at every call's end, in chains that show any tampering (docs/audit.md).

What cannot be recorded must not happen. While lines cannot be written, or Redis does not know of the chain that they
would go to, `healthy` is False and calls are refused before any work.
"""

import asyncio
import hmac
import logging
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.base import identity
from services.base.audit_chain import SUFFIX, AuditKey, Head
from services.base.call import Call, Ended
from services.base.errors import PapermeshError
from services.base.names import is_action
from services.base.redis.link import RedisAway, RedisLink, RedisRefused
from services.dispatch import memory_pressure
from services.dispatch.audit.file import ChainFile

EVERY_S = 0.1
"""How often the heads are written to Redis, and writing to a disk that refused is tried again."""

_SYNC_EVERY_S = 1.0
_HEAD_AGAIN_EVERY_S = 10.0
_ROLL_BYTES = 64 * 1024 * 1024
_DAY_S = 86_400
_HEAD_BYTES = 16 * 1024

# Only what looks like the name of an action or of a client is written, and nothing that a caller may have put there.
_CLAIMED = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)

_log = logging.getLogger(__name__)


class Heads:
    """The chains' heads in Redis, out of reach of anyone who can write the logs."""

    def __init__(self, link: RedisLink, keep_days: int) -> None:
        """Writes nothing yet.

        Args:
            link: Redis in its state role.
            keep_days: How long a head stays after its chain's last line.
        """
        self._link = link
        self.keep_days = keep_days

    async def put(self, chain: str, head: Head) -> None:
        """Records a chain's current head.

        Raises:
            RedisAway, RedisRefused: when Redis did not accept it.
        """
        # Even if Redis is full: a dispatch that starts then could not begin a chain, and would refuse deletions too.
        await self._link.call("EVAL", memory_pressure.SET, 1, Head.key(chain), str(head), "EX", self.keep_days * _DAY_S)


def has_calls(folder: Path) -> bool:
    """Whether any log in a folder has a call."""
    # Near the beginning of its chain, if there is one at all: only the start and gaps come before.
    for path in folder.glob(f"*{SUFFIX}"):
        with path.open("rb") as file:
            if b'"kind":"call"' in file.read(_HEAD_BYTES):
                return True
    return False


class Audit:
    """The audit log of one replica."""

    def __init__(self, folder: Path, replica: str, key: AuditKey, heads: Heads) -> None:
        """Writes nothing yet.

        Args:
            folder: Where the chains' files go; other replicas may write there too.
            replica: This replica's name, for the names of its files.
            key: Seals the lines.
            heads: Where the chains' heads are stored.
        """
        self._folder = folder
        self._replica = replica
        self._key = key
        self._heads = heads
        self._file: ChainFile | None = None
        self._next: ChainFile | None = None  # made, but Redis was not told of it: no call goes there
        self._ended: ChainFile | None = None  # full, and Redis was not told of its end
        self._missed = 0
        self._told: Head | None = None
        self._told_at = 0.0
        self._synced_at = 0.0
        self._trouble = ""
        self._untold = False

    @property
    def healthy(self) -> bool:
        """Whether a call's end can be recorded right now. If not, calls must be refused before any work."""
        return self._file is not None and self._file.is_written and not self._trouble

    def record(self, ended: Ended) -> None:
        """Writes a call's line, or queues it while it cannot be written.

        A call admitted before that always gets its line; there are only so many. Refused calls have no limit: once a
        mebibyte of lines waits, they are only counted.
        """
        file = self._file
        if file is None or not (file.has_room or ended.call.notes.get("admitted")):
            self._missed += 1
            return
        try:
            file.append(_fields(ended, self._key))
        except OSError as error:
            self._has_trouble(f"The audit log cannot be written: {error.strerror}")

    async def start(self) -> None:
        """Begins the first chain if that is possible now; otherwise `run` keeps trying."""
        await self._tend()

    async def run(self) -> None:
        """Maintains the chains until cancelled: begins them, records them in Redis, writes lines that had to wait."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self._tend()

    async def stop(self) -> None:
        """Ends the chain, after the last call and after `run` was cancelled."""
        if self._next is not None:
            self._next.close()
        rolled, last = self._ended, self._file
        self._next = self._ended = self._file = None
        if rolled is not None:
            await self._end(rolled)
        if last is not None:
            await self._end(last, "stopped")

    async def _tend(self) -> None:
        try:
            await self._roll()
            if self._file is not None:
                self._account_for_missed(self._file)
                await self._tell(self._file)
                await self._sync(self._file)
        except OSError as error:
            self._has_trouble(f"The audit log cannot be written: {error.strerror}")
        except (RedisAway, RedisRefused) as error:
            # No reason to refuse calls: the lines are written, and without Redis no call gets past its nonce.
            if not self._untold:
                _log.warning("Could not tell Redis how long the audit log is: %s", error)
            self._untold = True
        else:
            if self._trouble or self._untold:
                _log.info("The audit log can be written again")
            self._trouble, self._untold = "", False

    async def _roll(self) -> None:
        """Begins a chain if there is none or the current one is full, step by step as each becomes possible."""
        if self._file is not None:
            self._file.write()
        if self._next is None and self._ended is None and (self._file is None or self._file.size >= _ROLL_BYTES):
            self._next = self._begin()
        if self._next is not None:
            await self._move_on(self._next)
        if self._ended is not None:
            await self._finish(self._ended)
            self._ended = None

    def _begin(self) -> ChainFile:
        file = ChainFile(self._folder, self._replica, self._key)
        before = self._file.name if self._file else ""
        first = {"kind": "start", "key_id": self._key.id, "keep_days": self._heads.keep_days, "previous": before}
        with suppress(OSError):  # `_move_on` tries again, and tells
            file.append(first)
        return file

    async def _move_on(self, file: ChainFile) -> None:
        """Switches to the next chain once it has begun and Redis knows of it."""
        file.write()
        await self._tell(file)
        self._ended, self._file, self._next = self._file, file, None
        if self._ended is not None:
            self._ended.append(_last("rolled"))

    async def _end(self, file: ChainFile, why: str = "") -> None:
        """Ends a chain as well as possible now, and writes the reason into it unless it is there already."""
        try:
            if why:
                self._account_for_missed(file)
                file.append(_last(why))
            await self._finish(file)
        except (OSError, RedisAway, RedisRefused) as error:
            _log.error("Could not close the audit log properly: %s", error)
            file.close()

    async def _finish(self, file: ChainFile) -> None:
        file.write()
        await self._heads.put(file.name, file.head)
        await asyncio.to_thread(file.sync)
        file.close()

    def _account_for_missed(self, file: ChainFile) -> None:
        if self._missed:
            missed, self._missed = self._missed, 0
            file.append({"kind": "gap", "missed": missed})

    async def _tell(self, file: ChainFile) -> None:
        """Writes new heads to Redis, and from time to time the same ones again in case Redis lost them."""
        now = time.monotonic()
        head = file.head
        if head == self._told and now < self._told_at + _HEAD_AGAIN_EVERY_S:
            return
        await self._heads.put(file.name, head)
        self._told, self._told_at = head, now

    async def _sync(self, file: ChainFile) -> None:
        now = time.monotonic()
        if file.synced < file.size and now >= self._synced_at + _SYNC_EVERY_S:
            await asyncio.to_thread(file.sync)
            self._synced_at = now

    def _has_trouble(self, what: str) -> None:
        if what != self._trouble:
            _log.error("%s; calls are refused until it can be", what)
        self._trouble = what


def _last(why: str) -> dict[str, Any]:
    return {"kind": "end", "why": why}


def _fields(ended: Ended, key: AuditKey) -> dict[str, Any]:
    """The fields of a call's line. No text, no names from documents, no token; docs/audit.md has the table."""
    call, notes = ended.call, ended.call.notes
    action, args = notes.get("action", ""), notes.get("args")
    client = notes.get("client", "")
    return {
        "kind": "call",
        "request_id": call.request_id if _REQUEST_ID.fullmatch(call.request_id) else "",
        "trace_id": call.traceparent[3:35],
        "client": client,
        **({} if client else {"claimed": _claimed(call)}),
        "certificate": _certificate(call),
        "actor": notes.get("actor", ""),
        "method": call.method.rpartition("/")[2],
        "action": action if is_action(action) else "",
        "args": "" if args is None else hmac.digest(key.arguments, args, "sha256").hex(),
        "documents": notes.get("documents", ()),
        "decision": "allow" if notes.get("admitted") else "deny",
        "code": ended.code,
        "cache": notes.get("cache", "none"),
        "latency_ms": round(ended.latency_s * 1000, 3),
        "bytes": ended.bytes_out,
    }


def _certificate(call: Call) -> str:
    try:
        return identity.caller(call.metadata)
    except PapermeshError:
        return ""


def _claimed(call: Call) -> str:
    """The client that an unverified caller claimed to be."""
    said = next((value for name, value in call.metadata if name == "x-client"), "")
    return said if isinstance(said, str) and _CLAIMED.fullmatch(said) else ""
