import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from trust.certificates import ENVOY_NAMES, CertificateError, Done, ensure

pytestmark = pytest.mark.usefixtures("power_stays")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORKLOADS = ("adapter", "envoy", "dispatch", "pdf", "operator")


def leaf(directory: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((directory / name / "tls.crt").read_bytes())


def names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    directory = tmp_path / "certs"
    ensure(directory, "default", WORKLOADS, clients=["reports"], now=NOW)
    return directory


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_workload_has_exactly_one_uri_its_spiffe_id(certs: Path, workload: str) -> None:
    uris = names(leaf(certs, workload)).get_values_for_type(x509.UniformResourceIdentifier)
    assert uris == [f"spiffe://papermesh/ns/default/sa/{workload}"]


def test_a_client_of_the_company_has_an_id_of_its_own_kind(certs: Path) -> None:
    uris = names(leaf(certs, "client/reports")).get_values_for_type(x509.UniformResourceIdentifier)
    assert uris == ["spiffe://papermesh/ns/default/client/reports"]


def test_only_envoy_has_host_names(certs: Path) -> None:
    envoy = names(leaf(certs, "envoy"))
    assert envoy.get_values_for_type(x509.DNSName) == ["localhost", "envoy"]
    assert [str(ip) for ip in envoy.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert len(names(leaf(certs, "pdf"))) == 1


def test_a_leaf_is_a_client_and_a_server_and_can_sign_nothing(certs: Path) -> None:
    extensions = leaf(certs, "pdf").extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert constraints.critical
    assert not constraints.value.ca
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == {
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.SERVER_AUTH,
    }


def test_the_ca_may_sign_leaves_and_no_further_ca(certs: Path) -> None:
    ca = x509.load_pem_x509_certificate((certs / "ca" / "ca.crt").read_bytes())
    constraints = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    assert isinstance(ca.public_key(), ec.EllipticCurvePublicKey)
    assert ca.public_key().curve.name == "secp256r1"


def test_a_leaf_names_the_ca_that_signed_it(certs: Path) -> None:
    ca = x509.load_pem_x509_certificate((certs / "ca" / "ca.crt").read_bytes())
    certificate = leaf(certs, "pdf")
    certificate.verify_directly_issued_by(ca)
    signer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert signer.key_identifier == own.digest


def test_openssl_trusts_a_leaf_by_the_ca_beside_it(tmp_path: Path) -> None:
    ensure(tmp_path, "default", ["pdf"])
    command = ["openssl", "verify", "-x509_strict", "-CAfile", tmp_path / "pdf/ca.crt", tmp_path / "pdf/tls.crt"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.endswith("OK\n")


def test_a_leaf_lives_90_days_and_the_ca_10_years_from_a_little_before_now(certs: Path) -> None:
    certificate = leaf(certs, "pdf")
    ca = x509.load_pem_x509_certificate((certs / "ca" / "ca.crt").read_bytes())
    assert certificate.not_valid_after_utc == NOW + timedelta(days=90)
    assert ca.not_valid_after_utc == NOW + timedelta(days=3650)
    assert NOW - timedelta(hours=1) < certificate.not_valid_before_utc < NOW


def test_folders_and_files_are_their_owners_alone(certs: Path) -> None:
    for path in [certs, *certs.rglob("*")]:
        if not path.is_symlink():
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_key_is_never_open_to_others_even_under_a_lax_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ensure(tmp_path / "certs", "default", ["pdf"])
    finally:
        os.umask(before)
    assert (tmp_path / "certs/pdf/tls.key").stat().st_mode & 0o777 == 0o600


def test_running_it_again_keeps_everything(certs: Path) -> None:
    before = {path: path.read_bytes() for path in certs.rglob("*.crt")}
    outcomes = ensure(certs, "default", WORKLOADS, clients=["reports"], now=NOW + timedelta(days=1))
    assert {outcome.done for outcome in outcomes} == {Done.KEPT}
    assert {path: path.read_bytes() for path in certs.rglob("*.crt")} == before


def test_a_missing_leaf_is_issued_by_the_ca_that_is_there(certs: Path) -> None:
    ca = (certs / "ca" / "ca.crt").read_bytes()
    outcomes = {each.name: each for each in ensure(certs, "default", ["pdf", "echo"], now=NOW)}
    assert outcomes["pdf"].done is Done.KEPT
    assert outcomes["echo"].done is Done.ISSUED
    assert outcomes["echo"].uri == "spiffe://papermesh/ns/default/sa/echo"
    assert (certs / "ca" / "ca.crt").read_bytes() == ca


@pytest.mark.parametrize(("age_days", "done"), [(59, Done.KEPT), (61, Done.RENEWED), (100, Done.RENEWED)])
def test_a_leaf_in_the_last_third_of_its_life_is_renewed(certs: Path, age_days: int, done: Done) -> None:
    later = NOW + timedelta(days=age_days)
    ca, pdf = ensure(certs, "default", ["pdf"], now=later)
    assert (ca.done, pdf.done) == (Done.KEPT, done)
    assert leaf(certs, "pdf").not_valid_after_utc == pdf.not_after > later


def test_a_ca_that_grows_old_is_kept_since_replacing_it_at_once_would_cost_calls(certs: Path) -> None:
    ca, pdf = ensure(certs, "default", ["pdf"], now=NOW + timedelta(days=3000))
    assert (ca.done, pdf.done) == (Done.KEPT, Done.RENEWED)


def test_a_leaf_never_outlives_its_ca(certs: Path) -> None:
    ca, pdf = ensure(certs, "default", ["pdf"], now=NOW + timedelta(days=3640))
    assert ca.not_after == pdf.not_after


def test_a_ca_that_has_run_out_is_replaced_and_every_leaf_with_it(certs: Path) -> None:
    ca, pdf = ensure(certs, "default", ["pdf"], now=NOW + timedelta(days=3650))
    assert (ca.done, ca.reason) == (Done.RENEWED, "it had run out")
    assert (pdf.done, pdf.reason) == (Done.ISSUED, "another CA had issued it")
    leaf(certs, "pdf").verify_directly_issued_by(
        x509.load_pem_x509_certificate((certs / "pdf" / "ca.crt").read_bytes())
    )


def test_every_outcome_says_which_certificate_is_there_and_who_issued_it(certs: Path) -> None:
    ca, pdf = ensure(certs, "default", ["pdf"], now=NOW)
    assert pdf.serial == f"{leaf(certs, 'pdf').serial_number:040x}"
    assert pdf.issuer == ca.issuer
    assert f"papermesh mesh CA {ca.issuer}" in ca.certificate.subject.rfc4514_string()


def test_the_longest_namespace_is_good_for_a_ca(tmp_path: Path) -> None:
    assert ensure(tmp_path, "n" * 63, ["pdf"])[0].done is Done.ISSUED


def test_a_bundle_that_was_changed_by_hand_is_mended_and_the_leaf_stays(certs: Path) -> None:
    before = leaf(certs, "pdf")
    (certs / "pdf" / "ca.crt").write_bytes(b"")
    assert ensure(certs, "default", ["pdf"], now=NOW)[1].done is Done.TRUST_UPDATED
    assert leaf(certs, "pdf") == before
    assert (certs / "pdf" / "ca.crt").read_bytes() == (certs / "ca" / "ca.crt").read_bytes()


def test_a_leaf_of_another_namespace_is_replaced(certs: Path) -> None:
    outcome = ensure(certs, "staging", ["pdf"], now=NOW)[1]
    assert outcome.reason == "it was made for other names"
    assert names(leaf(certs, "pdf")).get_values_for_type(x509.UniformResourceIdentifier) == [
        "spiffe://papermesh/ns/staging/sa/pdf"
    ]


def test_envoys_leaf_follows_the_names_that_are_asked_for(certs: Path) -> None:
    hosts = (*ENVOY_NAMES, "envoy.papermesh.svc")
    outcome = ensure(certs, "default", ["envoy"], envoy_names=hosts, now=NOW)[1]
    assert outcome.done is Done.ISSUED
    assert "envoy.papermesh.svc" in names(leaf(certs, "envoy")).get_values_for_type(x509.DNSName)


@pytest.mark.parametrize("file", ["tls.crt", "tls.key"])
def test_a_broken_file_is_replaced(certs: Path, file: str) -> None:
    (certs / "pdf" / file).write_bytes(b"-----BEGIN")
    assert ensure(certs, "default", ["pdf"], now=NOW)[1].reason == "it could not be read"
    assert ensure(certs, "default", ["pdf"], now=NOW)[1].done is Done.KEPT


def test_a_key_that_others_could_read_is_replaced(certs: Path) -> None:
    key = certs / "pdf" / "tls.key"
    before = key.read_bytes()
    key.chmod(0o644)
    assert ensure(certs, "default", ["pdf"], now=NOW)[1].reason == "others could read its key"
    assert key.read_bytes() != before


def test_a_certificate_with_another_ones_key_is_replaced(certs: Path) -> None:
    (certs / "pdf" / "tls.key").write_bytes((certs / "dispatch" / "tls.key").read_bytes())
    assert ensure(certs, "default", ["pdf"], now=NOW)[1].reason == "it could not be read"


def test_the_files_of_a_folder_change_in_one_step(certs: Path) -> None:
    before = (certs / "pdf" / "..data").readlink()
    ensure(certs, "default", ["pdf"], now=NOW + timedelta(days=80))
    assert (certs / "pdf" / "..data").readlink() != before
    for name in ("tls.crt", "tls.key", "ca.crt"):
        assert (certs / "pdf" / name).readlink() == Path("..data", name)
    assert len(list((certs / "pdf").glob("..[0-9]*"))) == 1, "the old version is gone"


@pytest.mark.parametrize("name", ["", "Pdf", "a/b", "..", "-a", "a" * 64, "a.b"])
def test_a_name_that_is_no_dns_label_is_refused(tmp_path: Path, name: str) -> None:
    for workloads, clients in (([name], []), ([], [name])):
        with pytest.raises(CertificateError, match="lower-case letters"):
            ensure(tmp_path, "default", workloads, clients=clients)


@pytest.mark.parametrize("name", ["ca", "client"])
def test_a_workload_cannot_take_a_folder_of_the_layout(tmp_path: Path, name: str) -> None:
    with pytest.raises(CertificateError, match="the layout needs that folder"):
        ensure(tmp_path, "default", [name])


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "certs").write_text("a file")
    with pytest.raises(CertificateError, match="cannot be written"):
        ensure(tmp_path / "certs", "default", ["pdf"])
