from pathlib import Path

import pytest
from hypothesis import settings

# Many examples of each are worth less than a suite that is run often; the machine may be busy, so none has a deadline.
settings.register_profile("papermesh", max_examples=50, deadline=None)
settings.load_profile("papermesh")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of sample documents, which lies beside the repository and is no part of it."""
    folder = (ROOT / ".." / "shared" / "corpus").resolve()
    if not folder.is_dir():
        pytest.fail(f"The sample documents are missing: {folder} is no folder.", pytrace=False)
    return folder
