"""What Helm prints after an installation. That its commands work as pasted: tests/e2e/test_first_call.py."""

from pathlib import Path

from tests.deploy.helm.chart import notes


def test_the_key_that_the_setup_job_made_is_read_from_its_secret(tmp_path: Path) -> None:
    assert "KEY=$(kubectl -n demo get secret pm-api-key -o jsonpath='{.data.api-key}' | base64 -d)" in notes(tmp_path)


def test_a_key_that_is_only_known_by_its_hash_is_not_looked_for(tmp_path: Path) -> None:
    text = notes(tmp_path, existingSecrets__apiKeys="mine")
    assert "KEY='one of the keys whose hashes are in the Secret mine'" in text
    assert "pm-api-key" not in text


def test_with_an_issuer_a_token_is_asked_for(tmp_path: Path) -> None:
    issuer = {"mode": "oidc", "oidc": {"issuer": "https://login.example", "audience": "papermesh"}}
    text = notes(tmp_path, adapter__auth=issuer, networkPolicy__oidc=[{"ipBlock": {"cidr": "10.0.0.1/32"}}])
    assert "KEY='a token of https://login.example for papermesh'" in text


def test_whoever_asks_nobody_is_told_so_and_needs_no_key(tmp_path: Path) -> None:
    text = notes(tmp_path, adapter__auth={"mode": "none", "none": "yes-anyone-may-call"})
    assert "The adapter asks nobody who they are" in text
    assert "KEY" not in text


def test_whoever_has_no_policies_is_told_so(tmp_path: Path) -> None:
    assert "There are no NetworkPolicies" in notes(tmp_path, networkPolicy__enabled=False)


def test_whoever_offers_the_adapter_without_a_certificate_is_told_so(tmp_path: Path) -> None:
    clients = [{"ipBlock": {"cidr": "10.0.0.0/8"}}]
    warning = "The adapter speaks plain HTTP without a certificate"
    ingress = {"enabled": True, "hosts": ["papermesh.example"]}
    (tmp_path / "plain").mkdir()
    assert warning in notes(tmp_path / "plain", adapter__ingress=ingress, networkPolicy__adapterClients=clients)
    (tmp_path / "balanced").mkdir()
    assert warning in notes(
        tmp_path / "balanced", adapter__service__type="LoadBalancer", networkPolicy__adapterClients=clients
    )
    (tmp_path / "secret").mkdir()
    ingress["tlsSecret"] = "papermesh-http"
    assert warning not in notes(tmp_path / "secret", adapter__ingress=ingress, networkPolicy__adapterClients=clients)
