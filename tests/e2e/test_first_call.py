"""What `helm test` runs, and what `helm install` prints to paste, against a mesh on this machine."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from deploy.local.parts import AUDIENCE
from tests.conftest import ROOT
from tests.deploy.helm.chart import notes
from tests.e2e.support.deployment import Deployment


def first_call(mesh: Deployment, document: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    told = {
        "PAPERMESH_TLS_DIR": str(mesh.tls_dir("operator")),
        "PAPERMESH_EDGE_ADDRESS": mesh.stack.edge_address,
        "PAPERMESH_AUDIENCE": AUDIENCE,
        "PAPERMESH_KEY_FILE": str(mesh.stack.key_file("operator")),
        "PAPERMESH_ADAPTER_URL": mesh.stack.url,
        "PAPERMESH_DOCUMENT": str(document),
        **settings,
    }
    command = [sys.executable, "-m", "deploy.kubernetes.first_call"]
    environment = {"PATH": os.environ["PATH"], **told}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)


def test_it_reads_a_document_by_a_signed_call_and_asks_the_adapter(mesh: Deployment, good_document: Path) -> None:
    done = first_call(mesh, good_document)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Signed by the operator: PDF_METADATA of leave-policy.pdf, 3 pages.",
        "Through the adapter: it is ready.",
    ]


def test_with_an_api_key_it_reads_it_through_the_adapter_too(
    mesh: Deployment, good_document: Path, tmp_path: Path
) -> None:
    key = tmp_path / "api-key"  # which an adapter without authentication does not look at
    key.write_text("pm_any\n", encoding="ascii")
    done = first_call(mesh, good_document, PAPERMESH_API_KEY_FILE=str(key))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Through the adapter: PDF_METADATA, 3 pages."


_KUBECTL = """#!/bin/sh
case "$*" in
  *port-forward*service/pm-adapter*) exec sleep 60 ;;
  *"get secret pm-api-key"*) printf cG1fYW55 ;;
  *) exit 1 ;;
esac
"""
"""Stands in for a cluster's: the adapter is here already, and does not look at keys."""


def test_the_commands_that_helm_prints_read_a_document_as_they_are_pasted(mesh: Deployment, tmp_path: Path) -> None:
    text = notes(tmp_path)
    pasted = "".join(re.findall(r"^  (?!helm ).*\n", text, re.MULTILINE)).replace(
        "http://127.0.0.1:9000", mesh.stack.url
    )
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(_KUBECTL, encoding="ascii")
    kubectl.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    # As at a prompt, where every command has its line.
    done = subprocess.run(
        ["/bin/bash", "-mc", pasted], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    stored, read = (json.loads(each) for each in re.findall(r'\{"ok".*?\}(?=\{"ok"|$)', done.stdout, re.DOTALL))
    assert stored["ok"], stored
    assert "annual leave" in read["data"]["items"][0]["text"].lower(), read


def test_what_is_wrong_is_said_in_a_sentence(mesh: Deployment, good_document: Path) -> None:
    done = first_call(mesh, good_document, PAPERMESH_AUDIENCE="elsewhere")
    assert done.returncode == 1
    assert done.stderr.startswith("UNAUTHENTICATED: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_key_that_is_none_and_a_file_that_is_missing_are_told_without_showing_a_secret(
    mesh: Deployment, good_document: Path, tmp_path: Path
) -> None:
    keys = tmp_path / "api-key"
    keys.write_text("pm_first\npm_second\n", encoding="ascii")
    told = first_call(mesh, good_document, PAPERMESH_API_KEY_FILE=str(keys)).stderr
    assert told == f"{keys} holds no token: it must be one line of printable characters.\n"
    told = first_call(mesh, good_document, PAPERMESH_DOCUMENT="/absent.pdf").stderr
    assert told == "/absent.pdf cannot be read: No such file or directory.\n"
