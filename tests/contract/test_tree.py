"""What holds for the whole tree: generated files are current, and imports flow one way."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def generated(root: Path) -> dict[str, bytes]:
    """Every generated file by its path."""
    files = (path for path in (root / "gen").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_generating_the_stubs_anew_changes_nothing(tmp_path: Path) -> None:
    for folder in ("proto", "third_party"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    subprocess.run([sys.executable, tmp_path / "proto" / "generate.py"], check=True, capture_output=True)
    assert generated(tmp_path) == generated(ROOT)


def test_imports_flow_one_way() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
