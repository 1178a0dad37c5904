"""The command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure."""

    rounds: int
    seconds: int
    warm_up: int
    incumbent: Path
    document: Path
    bare_only: bool
    profile: bool
    work: Path

    @property
    def whole(self) -> bool:
        """Whether the run is one whose results belong on the page: nothing shortened, nothing left out."""
        defaults = parse([])
        long_enough = self.rounds >= defaults.rounds and self.seconds >= defaults.seconds
        return long_enough and self.incumbent.exists() and not self.bare_only


def parse(arguments: list[str] | None = None) -> Options:
    """Reads the command line, or the arguments given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures Papermesh on this machine.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each run is made (default 5)")
    parser.add_argument("--seconds", type=int, default=6, help="length of each run in seconds (default 6)")
    parser.add_argument("--warm-up", type=int, default=3, help="seconds of load before the first round (default 3)")
    parser.add_argument(
        "--incumbent",
        type=Path,
        default=SHARED / "bench" / "incumbent",
        help="folder of the stack to compare with; without it there are figures and no ratios",
    )
    parser.add_argument(
        "--document",
        type=Path,
        default=SHARED / "corpus" / "mixed" / "002-trivial-libre-office-writer.pdf",
        help="the PDF that PDF_METADATA is asked about",
    )
    parser.add_argument("--bare-only", action="store_true", help="leave the document engine out")
    parser.add_argument("--profile", action="store_true", help="afterwards, show where the parts spend their CPU")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench", help="where state and results go")
    return Options(**vars(parser.parse_args(arguments)))
