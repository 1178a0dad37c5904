"""Parts that are started wrongly, as processes of their own."""

import os
import subprocess
import sys
from collections.abc import Mapping


def start_fails(module: str, settings: Mapping[str, str]) -> str:
    """What a part says that must not start; it may never be a traceback.

    Args:
        module: Started as `python -m <module>`.
        settings: Without the prefix PAPERMESH_, such as BLOBS_URL.
    """
    environment = {f"PAPERMESH_{name}": value for name, value in settings.items()}
    ended = subprocess.run(
        [sys.executable, "-m", module],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1, ended
    assert "Traceback" not in ended.stderr
    assert "S3cret" not in ended.stderr
    return ended.stderr
