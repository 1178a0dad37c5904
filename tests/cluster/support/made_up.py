"""A company's own service on a cluster: the one that docs/add-a-service.md builds, brought by one entry of the values.

Its code comes to the pod in a variable, since a test cannot build an image for a cluster that it knows nothing of.
"""

import base64
import io
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cluster.support.kubectl import kubectl
from tests.cluster.support.pods import WAITS
from tests.docs.page import steps

NAME, ACTION, PORT = "wordcount", "WORD_COUNT", 9110
METHOD = "/wordcount.v1.WordCountService/CountWords"

CALLEES_METHOD = "/papermesh.pdf.v1.PdfService/GetMetadata"

BYSTANDER = "bystander"
"""A worker: it has no port, may call pdf, and nobody named it as a caller of wordcount."""

_ROOT = Path(__file__).parents[3]
_PAGE = _ROOT / "docs" / "add-a-service.md"
_CONFIG_MAP, _KEY = "wordcount-descriptors", "wordcount.binpb"
_START = """
import base64, io, os, runpy, sys, zipfile
zipfile.ZipFile(io.BytesIO(base64.b64decode(os.environ["WORDCOUNT_PACKAGE"]))).extractall("/tmp/service")
sys.path.insert(0, "/tmp/service")
runpy.run_module("wordcount", run_name="__main__", alter_sys=True)
"""


def build(folder: Path) -> Path:
    """Follows the page as far as the package goes.

    Args:
        folder: An empty one, which stands for the checkout.

    Returns:
        The package.
    """
    for name in (".venv", "proto", "third_party"):
        (folder / name).symlink_to(_ROOT / name)
    for step in steps(_PAGE):
        if step.file.startswith(f"{NAME}/"):
            target = folder / step.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(step.text, encoding="utf-8")
        elif "grpc_tools.protoc" in step.text:
            subprocess.run(["/bin/sh", "-ec", step.text], cwd=folder, check=True, timeout=60)
    return folder / NAME


def publish_descriptors(package: Path, namespace: str) -> None:
    """Makes the ConfigMap that the entry names."""
    from_file = f"--from-file={_KEY}={package / 'descriptors.binpb'}"
    made = kubectl("-n", namespace, "create", "configmap", _CONFIG_MAP, from_file, "--dry-run=client", "-o", "json")
    kubectl("-n", namespace, "apply", "--server-side", "-f", "-", given=made)


def entries(package: Path, outside: str) -> Mapping[str, Any]:
    """Both services, as `services` of the values has them.

    Args:
        package: The package.
        outside: A namespace where the bystander may reach port 8080.
    """
    small = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
    selector = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": outside}}}
    return {
        NAME: {
            "command": ["python", "-c", _START],
            "env": {"WORDCOUNT_PACKAGE": _zipped(package)},
            "port": PORT,
            "protoServices": ["wordcount.v1.WordCountService"],
            "descriptors": {"configMap": _CONFIG_MAP, "key": _KEY},
            "replicas": 1,
            "resources": small,
        },
        BYSTANDER: {
            "command": WAITS,
            "callees": ["pdf"],
            "probes": False,
            "replicas": 1,
            "resources": small,
            "egress": [{"to": [selector], "ports": [{"protocol": "TCP", "port": 8080}]}],
        },
    }


def _zipped(package: Path) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        for path in sorted(package.rglob("*")):
            if path.suffix in {".py", ".binpb"}:
                archive.write(path, path.relative_to(package.parent))
    return base64.b64encode(packed.getvalue()).decode()
