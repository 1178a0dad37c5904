"""Somebody who can write the audit logs' folder, and has neither their key nor Redis."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from services.base.audit_chain import AuditKey, Chain

Lines = list[bytes]


class Tamperer:
    """Does one thing to the logs of two replicas."""

    def __init__(self, folder: Path, guessed: AuditKey, seed: int) -> None:
        self.folder = folder
        self.guessed = guessed
        self.random = random.Random(seed)  # noqa: S311 - so that a failure can be repeated

    def touch(self) -> str:
        """Does one thing, and says which."""
        deed = self.random.choice(DEEDS)
        deed(self)
        return deed.__name__

    def _files(self) -> list[Path]:
        return self.random.sample(sorted(self.folder.iterdir()), 2)

    def _one(self) -> tuple[Path, Lines]:
        file = self._files()[0]
        return file, file.read_bytes().splitlines(keepends=True)

    def _span(self, lines: Lines) -> tuple[int, int]:
        start = self.random.randrange(len(lines))
        return start, min(len(lines), start + self.random.choice((1, 1, 2, 5, 50)))

    def alter_a_byte(self) -> None:
        file, _ = self._one()
        content = bytearray(file.read_bytes())
        content[self.random.randrange(len(content))] ^= self.random.randrange(1, 256)
        file.write_bytes(content)

    def alter_a_field(self) -> None:
        file, lines = self._one()
        at = self.random.randrange(len(lines))
        fields = json.loads(lines[at])
        name = self.random.choice(sorted(fields))
        fields[name] = fields[name] + 1 if isinstance(fields[name], int | float) else "someone-else"
        lines[at] = json.dumps(fields, separators=(",", ":")).encode() + b"\n"
        file.write_bytes(b"".join(lines))

    def remove_lines(self) -> None:
        file, lines = self._one()
        start, end = self._span(lines)
        file.write_bytes(b"".join(lines[:start] + lines[end:]))

    def reorder_lines(self) -> None:
        file, lines = self._one()
        one, other = self.random.sample(range(len(lines)), 2)
        lines[one], lines[other] = lines[other], lines[one]
        file.write_bytes(b"".join(lines))

    def move_a_line(self) -> None:
        file, lines = self._one()
        at = self.random.randrange(len(lines))
        to = self.random.choice([place for place in range(len(lines)) if place != at])
        lines.insert(to, lines.pop(at))
        file.write_bytes(b"".join(lines))

    def truncate_anywhere(self) -> None:
        file, _ = self._one()
        content = file.read_bytes()
        file.write_bytes(content[: self.random.randrange(len(content))])

    def truncate_at_a_line(self) -> None:
        file, lines = self._one()
        file.write_bytes(b"".join(lines[: self.random.randrange(len(lines))]))

    def repeat_lines(self) -> None:
        file, lines = self._one()
        start, end = self._span(lines)
        to = self.random.randrange(len(lines) + 1)
        file.write_bytes(b"".join(lines[:to] + lines[start:end] + lines[to:]))

    def insert_a_forged_line(self) -> None:
        file, lines = self._one()
        at = self.random.randrange(1, len(lines) + 1)
        chain = Chain(file.stem, self.guessed)
        chain.n, chain.mac = at, bytes.fromhex(json.loads(lines[at - 1])["mac"])
        lines.insert(at, chain.seal({"kind": "call", "client": "adapter", "code": "OK"}))
        file.write_bytes(b"".join(lines))

    def move_a_line_to_the_other_log(self) -> None:
        one, other = self._files()
        source, target = (file.read_bytes().splitlines(keepends=True) for file in (one, other))
        target.insert(self.random.randrange(len(target) + 1), source.pop(self.random.randrange(len(source))))
        one.write_bytes(b"".join(source))
        other.write_bytes(b"".join(target))

    def exchange_a_line_with_the_other_log(self) -> None:
        one, other = self._files()
        source, target = (file.read_bytes().splitlines(keepends=True) for file in (one, other))
        at = self.random.randrange(min(len(source), len(target)))
        source[at], target[at] = target[at], source[at]
        one.write_bytes(b"".join(source))
        other.write_bytes(b"".join(target))

    def swap_the_logs(self) -> None:
        one, other = self._files()
        kept = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(kept)

    def write_the_rest_anew(self) -> None:
        file, lines = self._one()
        start = self.random.randrange(len(lines))
        chain = Chain(file.stem, self.guessed)
        if start:
            chain.n, chain.mac = start, bytes.fromhex(json.loads(lines[start - 1])["mac"])
        for at in range(start, len(lines)):
            fields = {key: value for key, value in json.loads(lines[at]).items() if key not in ("chain", "n", "mac")}
            lines[at] = chain.seal({**fields, "actor": "someone-else"})
        file.write_bytes(b"".join(lines))

    def remove_a_log(self) -> None:
        self._files()[0].unlink()

    def rename_a_log(self) -> None:
        file = self._files()[0]
        file.rename(file.with_name(f"dispatch-20250823T120000Z-{self.random.randrange(2**32):08x}.jsonl"))

    def copy_a_log(self) -> None:
        file = self._files()[0]
        shutil.copy(file, file.with_name(f"dispatch-20250823T120000Z-{self.random.randrange(2**32):08x}.jsonl"))

    def append_rubbish(self) -> None:
        file, _ = self._one()
        file.write_bytes(file.read_bytes() + self.random.choice((b"\n", b"{}\n", b" ", b"\x00", b"{")))

    def change_line_ends(self) -> None:
        file, _ = self._one()
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))


DEEDS: tuple[Callable[[Tamperer], None], ...] = tuple(
    member
    for name, member in vars(Tamperer).items()
    if callable(member) and not name.startswith("_") and name != "touch"
)
"""Everything that the tamperer knows to do."""
