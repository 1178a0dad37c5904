"""Audit logs made by hand, and what their check says."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.base.audit_chain import AuditKey, Chain, Head, read_key
from trust import audit_check
from trust.audit_check import Report

START = {"time": "2025-08-23T12:00:00.000Z", "kind": "start", "key_id": "k1", "keep_days": 36_500, "previous": ""}
END = {"time": "2025-08-23T12:00:02.000Z", "kind": "end", "why": "stopped"}


def write_key(path: Path, secret: str = "A" * 43, key_id: str = "k1") -> Path:
    """A file with an audit key."""
    path.write_text(json.dumps({"key_id": key_id, "secret": secret}))
    path.chmod(0o600)
    return path


def key_of(folder: Path, secret: str = "A" * 43, key_id: str = "k1") -> AuditKey:
    """An audit key."""
    return read_key(write_key(folder / f"{key_id}-{secret[:1]}.json", secret, key_id))


def call(number: int) -> dict[str, Any]:
    """The line of a call, with the fields that the check reads."""
    return {"time": "2025-08-23T12:00:01.000Z", "kind": "call", "request_id": f"r{number}", "code": "OK"}


def sealed(chain: Chain, calls: int, *, ended: bool = True) -> tuple[bytes, Head]:
    """The bytes of a log, and its head."""
    lines = [START, *map(call, range(calls)), *([END] if ended else [])]
    content = b"".join(chain.seal(dict(line)) for line in lines)
    return content, Head(chain.n, chain.mac)


def verdict(folder: Path, key: AuditKey, heads: Mapping[str, Head] | None) -> Sequence[Report]:
    """What the check says of each log."""
    return list(audit_check.check(folder, {key.id: key}, None if heads is None else lambda: heads))


def faults(reports: Sequence[Report]) -> list[str]:
    """All that is wrong, as sentences."""
    return [str(fault) for report in reports for fault in report.faults]
