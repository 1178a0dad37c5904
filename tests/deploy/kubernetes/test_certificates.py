import asyncio
import base64
import itertools
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from deploy.kubernetes.api_server import ApiError, ApiServer, SecretError
from deploy.kubernetes.certificates import CertificateJob, CertificateSettings
from papermesh.pdf.v1 import pdf_service_pb2
from services.base import actions
from services.base.server import Hosted, Server, ServerSettings
from services.base.settings import SettingsError
from trust.certificates import CertificateError, folder
from trust.certificates.issuing import issue_ca, issue_leaf

pytestmark = pytest.mark.usefixtures("power_stays")

Cluster = Any
WORKLOADS = ("adapter", "envoy", "dispatch", "pdf")
NAMES = ("pm-envoy", "pm-envoy.office.svc")
TRUSTING = ("pm-trust", *(f"pm-tls-{name}" for name in WORKLOADS))
"""The Secrets that say whom to trust: everybody's, and each one's own, which pods of an older chart mount."""
PDF = pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"]


def the_settings(**other: Any) -> CertificateSettings:
    given_ = {"workloads": WORKLOADS, "envoy_names": NAMES, "namespace": "office", "release": "pm", "settle_s": 0}
    return CertificateSettings.read(**{**given_, **other})


def run(api: ApiServer, **other: Any) -> None:
    """One Job, with an empty folder as every Job has."""
    with tempfile.TemporaryDirectory() as work:
        CertificateJob(api, the_settings(work_dir=Path(work), **other)).run()


def data(cluster: Cluster, name: str) -> dict[str, bytes]:
    return {key: base64.b64decode(text) for key, text in cluster.secrets[name]["data"].items()}


def leaf(cluster: Cluster, workload: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(data(cluster, f"pm-tls-{workload}")["tls.crt"])


def trusted(cluster: Cluster, where: str = "pm-trust") -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(data(cluster, where)["ca.crt"])


def serials(cluster: Cluster) -> dict[str, int]:
    return {name: leaf(cluster, name).serial_number for name in WORKLOADS}


def signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, InvalidSignature):
        return False
    return True


def everybody_trusts_everybody(cluster: Cluster) -> bool:
    return all(
        any(signed_by(leaf(cluster, shown), ca) for ca in trusted(cluster, judge))
        for judge, shown in itertools.product(TRUSTING, WORKLOADS)
    )


def interrupted_after_trust(api: ApiServer, cluster: Cluster) -> None:
    """A rotation of the CA that ends once everybody was told to trust both CAs."""
    cluster.writes_left = len(("pm-ca", *TRUSTING))
    with pytest.raises(ApiError):
        run(api, rotate_ca="now")
    cluster.writes_left = 1_000_000


def test_an_install_gives_each_workload_a_secret_of_its_own(api: ApiServer, cluster: Cluster) -> None:
    run(api, clients=("reports",))
    assert sorted(cluster.secrets) == [
        "pm-ca",
        "pm-tls-adapter",
        "pm-tls-client-reports",
        "pm-tls-dispatch",
        "pm-tls-envoy",
        "pm-tls-pdf",
        "pm-trust",
    ]
    assert set(data(cluster, "pm-trust")) == {"ca.crt"}
    assert cluster.secrets["pm-trust"]["type"] == "Opaque"
    for name in WORKLOADS:
        assert cluster.secrets[f"pm-tls-{name}"]["type"] == "kubernetes.io/tls"
        assert set(data(cluster, f"pm-tls-{name}")) == {"tls.crt", "tls.key", "ca.crt"}
        names = leaf(cluster, name).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.UniformResourceIdentifier) == [f"spiffe://papermesh/ns/office/sa/{name}"]
        assert names.get_values_for_type(x509.DNSName) == (list(NAMES) if name == "envoy" else [])
    assert everybody_trusts_everybody(cluster)


def test_the_key_of_the_ca_is_in_its_own_secret_alone(api: ApiServer, cluster: Cluster) -> None:
    run(api)
    key = data(cluster, "pm-ca")["ca.key"]
    assert [name for name in cluster.secrets if key in data(cluster, name).values()] == ["pm-ca"]


def test_a_second_run_writes_nothing(api: ApiServer, cluster: Cluster) -> None:
    run(api)
    before = len(cluster.writes)
    run(api)
    assert cluster.writes[before:] == []


def test_a_new_service_gets_a_certificate_and_nobody_else_does(api: ApiServer, cluster: Cluster) -> None:
    run(api)
    before = serials(cluster)
    count = len(cluster.writes)
    run(api, workloads=(*WORKLOADS, "stamps"))
    assert cluster.writes[count:] == ["POST secrets"]
    assert serials(cluster) == before
    assert signed_by(leaf(cluster, "stamps"), trusted(cluster)[0])


def test_no_certificate_ends_before_envoys_which_alone_has_an_alert(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trust.certificates.issuing.LEAF_LIFE", timedelta(days=89))
    run(api)
    monkeypatch.undo()
    run(api, workloads=(*WORKLOADS, "stamps"))
    before = serials(cluster)
    run(api, envoy_names=(*NAMES, "papermesh.example"), workloads=(*WORKLOADS, "stamps"))
    assert not set(before.values()) & set(serials(cluster).values())
    ends = {name: leaf(cluster, name).not_valid_after_utc for name in (*WORKLOADS, "stamps")}
    assert min(ends.values()) == ends["envoy"]
    count = len(cluster.writes)
    run(api, envoy_names=(*NAMES, "papermesh.example"), workloads=(*WORKLOADS, "stamps"))
    assert cluster.writes[count:] == []


def test_envoy_may_be_reached_by_addresses_and_wildcards(api: ApiServer, cluster: Cluster) -> None:
    run(api, envoy_names=("*.office.example", "10.0.0.1", "fd00::1"))
    names = leaf(cluster, "envoy").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["*.office.example"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1", "fd00::1"]


def test_a_leaf_in_the_last_third_of_its_life_is_renewed(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trust.certificates.issuing.BACKDATE", timedelta(days=61))
    monkeypatch.setattr("trust.certificates.issuing.LEAF_LIFE", timedelta(days=29))
    run(api)
    monkeypatch.undo()
    before = serials(cluster)
    run(api)
    assert not set(before.values()) & set(serials(cluster).values())
    assert all(leaf(cluster, name).not_valid_after_utc > datetime.now(UTC) + timedelta(days=89) for name in WORKLOADS)


def test_leaves_are_rotated_once_for_each_text(api: ApiServer, cluster: Cluster) -> None:
    run(api, rotate_leaves="at first")
    first = serials(cluster)
    run(api, rotate_leaves="at first")
    assert serials(cluster) == first
    run(api, rotate_leaves="2026-11-21")
    second = serials(cluster)
    assert not set(first.values()) & set(second.values())
    run(api, rotate_leaves="2026-11-21")
    run(api)
    run(api, rotate_leaves="2026-11-21")
    assert serials(cluster) == second


def test_the_ca_is_rotated_once_for_each_text_and_every_leaf_with_it(api: ApiServer, cluster: Cluster) -> None:
    run(api)
    old, before = data(cluster, "pm-ca"), serials(cluster)
    run(api, rotate_ca="2026-11-21")
    new = data(cluster, "pm-ca")
    assert set(new) == {"ca.crt", "ca.key"}
    assert new["ca.crt"] != old["ca.crt"]
    assert not set(before.values()) & set(serials(cluster).values())
    assert all(data(cluster, name)["ca.crt"] == new["ca.crt"] for name in TRUSTING)
    run(api, rotate_ca="2026-11-21")
    assert data(cluster, "pm-ca") == new


def test_a_release_whose_secrets_were_made_without_the_bundle_gets_one_and_keeps_its_certificates(
    api: ApiServer, cluster: Cluster
) -> None:
    run(api)
    bundle = cluster.secrets.pop("pm-trust")
    before, count = serials(cluster), len(cluster.writes)
    run(api)
    assert cluster.secrets["pm-trust"] == bundle
    assert cluster.writes[count:] == ["POST secrets"]
    assert serials(cluster) == before


def test_a_release_without_the_bundle_that_was_left_in_the_middle_of_a_rotation_gets_one_with_both_cas(
    api: ApiServer, cluster: Cluster
) -> None:
    run(api)
    interrupted_after_trust(api, cluster)
    del cluster.secrets["pm-trust"]
    seen: list[tuple[int, bool]] = []
    cluster.after_write = lambda: seen.append((len(trusted(cluster)), everybody_trusts_everybody(cluster)))
    run(api)
    assert (seen[0], seen[-1]) == ((2, True), (1, True))
    assert all(whole for _, whole in seen)


def test_a_job_that_another_overtakes_while_it_reads_takes_back_nothing(api: ApiServer, cluster: Cluster) -> None:
    run(api)
    questions = itertools.count()

    def overtake() -> None:
        if next(questions) == 1:
            cluster.before_request = lambda: None
            interrupted_after_trust(api, cluster)

    cluster.before_request = overtake
    with pytest.raises(ApiError, match="Another process was faster"):
        run(api)
    assert "next.key" in data(cluster, "pm-ca")
    assert all(len(trusted(cluster, name)) == 2 for name in TRUSTING)


@pytest.mark.long
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crashes=st.lists(st.integers(min_value=0, max_value=7), max_size=5))
@example(crashes=[1] * 21)  # after every single write
def test_a_rotation_that_is_interrupted_anywhere_never_splits_the_mesh_and_ends_when_it_is_run_again(
    api: ApiServer, cluster: Cluster, crashes: list[int]
) -> None:
    cluster.secrets.clear()
    run(api)
    old = data(cluster, "pm-ca")["ca.crt"]
    splits: list[str] = []

    def look() -> None:
        if not everybody_trusts_everybody(cluster):
            splits.append(cluster.writes[-1])

    cluster.after_write = look
    for writes in crashes:
        cluster.writes_left = writes
        with suppress(ApiError):
            run(api, rotate_ca="now", limit_s=0.01)
    cluster.writes_left = 1_000_000
    run(api, rotate_ca="now", limit_s=0.01)
    cluster.after_write = lambda: None
    assert splits == []
    assert set(data(cluster, "pm-ca")) == {"ca.crt", "ca.key"}
    assert data(cluster, "pm-ca")["ca.crt"] != old
    assert all(len(trusted(cluster, name)) == 1 for name in TRUSTING)


class Pod:
    """A server of the mesh whose certificate and bundle are in Secrets that a kubelet, this test, mounts and renews."""

    def __init__(self, cluster: Cluster, mount: Path, trust: str = "pm-trust") -> None:
        self._cluster = cluster
        self._mount = mount
        self._trust = trust
        self.sync()
        read = ServerSettings.read(tls_dir=mount, namespace="office", drain_s=0, drain_notice_s=0)
        self.server = Server(read, 0, [Hosted(PDF, object())], behind_mesh=True, table=actions.load())

    def sync(self) -> None:
        bundle = {"ca.crt": data(self._cluster, self._trust)["ca.crt"]}
        folder.publish(self._mount, {**data(self._cluster, "pm-tls-pdf"), **bundle})


async def issued(cluster: Cluster) -> None:
    """Until pdf's Secret has a leaf of the new CA."""
    async with asyncio.timeout(30):
        while "previous.crt" not in data(cluster, "pm-ca") or not signed_by(  # noqa: ASYNC110 - a thread's doing
            leaf(cluster, "pdf"), x509.load_pem_x509_certificate(data(cluster, "pm-ca")["ca.crt"])
        ):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("trust", ["pm-trust", "pm-tls-pdf"], ids=["of this chart", "of a chart without the bundle"])
async def test_a_rotation_waits_for_what_pods_show_in_handshakes(
    api: ApiServer, cluster: Cluster, tmp_path: Path, trust: str
) -> None:
    await asyncio.to_thread(run, api)
    pod = Pod(cluster, tmp_path / "mount", trust)
    await pod.server.start()
    cluster.pod("pdf", "127.0.0.1")
    cluster.pod("redis", "127.0.0.1")  # shows no certificate, and is not asked

    async def rotate(limit_s: float) -> None:
        wanted = {"rotate_ca": "now", "listeners": (f"pdf:{pod.server.port}",), "limit_s": limit_s}
        await asyncio.to_thread(run, api, **wanted)

    with pytest.raises(CertificateError, match=r"pdf at 127\.0\.0\.1:[0-9]+ had not taken up the new certificates"):
        await rotate(0.1)
    assert "next.key" in data(cluster, "pm-ca"), "it stands where it was, and nothing was taken back"

    rotating = asyncio.create_task(rotate(60))
    pod.sync()
    await issued(cluster)
    assert not rotating.done()
    pod.sync()
    await rotating
    assert set(data(cluster, "pm-ca")) == {"ca.crt", "ca.key"}
    await pod.server.stop()


async def test_a_rotation_looks_again_for_pods_that_began_to_listen_meanwhile(
    api: ApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    await asyncio.to_thread(run, api)
    pod = Pod(cluster, tmp_path / "mount")  # which its kubelet gave the files of before
    await pod.server.start()

    def appear() -> None:
        cluster.after_listing = lambda: None
        cluster.pod("pdf", "127.0.0.1")

    cluster.after_listing = appear
    wanted = {"rotate_ca": "now", "listeners": (f"pdf:{pod.server.port}",), "limit_s": 0.1}
    with pytest.raises(CertificateError, match="had not taken up"):
        await asyncio.to_thread(run, api, **wanted)
    assert "next.key" in data(cluster, "pm-ca"), "nobody has a leaf of a CA that this pod does not trust"
    await pod.server.stop()


def test_an_interrupted_wait_is_made_up_for(api: ApiServer, cluster: Cluster) -> None:
    run(api)

    def refuse_when_all_trust_both() -> None:
        if all(len(trusted(cluster, name)) == 2 for name in TRUSTING):
            cluster.refusing = {"GET": 403}

    cluster.after_write = refuse_when_all_trust_both
    with pytest.raises(ApiError):
        run(api, rotate_ca="now")
    cluster.after_write = lambda: None
    cluster.refusing = {}
    began = time.monotonic()
    earlier = datetime.now(UTC) - timedelta(seconds=2)
    cluster.secrets["pm-ca"]["metadata"]["annotations"]["papermesh/ca-written"] = earlier.isoformat()
    run(api, rotate_ca="now")
    assert time.monotonic() - began > 2, "who only calls may take as long as those who were seen"


def test_a_pod_that_does_not_listen_has_nothing_to_take_up(api: ApiServer, cluster: Cluster) -> None:
    run(api)
    cluster.pod("pdf", "127.0.0.1")
    run(api, rotate_ca="now", listeners=("pdf:1",), limit_s=5)
    assert set(data(cluster, "pm-ca")) == {"ca.crt", "ca.key"}


def test_a_lost_ca_is_replaced_and_every_leaf_with_it(api: ApiServer, cluster: Cluster) -> None:
    run(api)
    before = serials(cluster)
    del cluster.secrets["pm-ca"]
    run(api)
    assert everybody_trusts_everybody(cluster)
    assert not set(before.values()) & set(serials(cluster).values())


def replaced(cluster: Cluster, name: str, **files: bytes | None) -> dict[str, str]:
    """Changes files of a Secret by hand, or takes them out; "ca_key" is ca.key."""
    content: dict[str, str] = cluster.secrets[name]["data"]
    for key, text in files.items():
        content.pop(key.replace("_", "."), None)
        if text is not None:
            content[key.replace("_", ".")] = base64.b64encode(text).decode()
    return dict(content)


def encrypted() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))


def no_ca() -> dict[str, bytes]:
    mine = issue_leaf(issue_ca("office", datetime.now(UTC)), "spiffe://x", (), datetime.now(UTC))
    return {"ca_crt": mine.certificate_pem, "ca_key": mine.key_pem}


@pytest.mark.parametrize(
    "files",
    [
        {"ca_key": None},
        {"ca_crt": b"no certificate"},
        {"ca_key": encrypted()},
        {"next_crt": issue_ca("office", datetime.now(UTC)).certificate_pem},
        {"next_key": b"no key"},
        {"previous_crt": b"no certificate"},
        no_ca(),
    ],
    ids=["half", "garbage", "encrypted", "half-rotation", "other-half", "broken-rotation", "leaf"],
)
def test_a_ca_that_cannot_be_used_is_told_and_never_replaced(
    api: ApiServer, cluster: Cluster, files: dict[str, bytes | None]
) -> None:
    run(api)
    changed, before = replaced(cluster, "pm-ca", **files), len(cluster.writes)
    with pytest.raises(SecretError, match=r"The Secret pm-ca holds no CA that can be used: .* Repair it\."):
        run(api, rotate_ca="now")
    assert cluster.secrets["pm-ca"]["data"] == changed
    assert cluster.writes[before:] == []


def test_a_secret_of_somebody_elses_with_the_name_of_a_leaf_stays(api: ApiServer, cluster: Cluster) -> None:
    run(api)
    cluster.secrets["pm-tls-pdf"]["metadata"]["labels"] = {"app.kubernetes.io/instance": "pm-tls"}
    theirs = replaced(cluster, "pm-tls-pdf", tls_key=b"theirs")
    with pytest.raises(SecretError, match=r"The Secret pm-tls-pdf is not this release's"):
        run(api)
    assert cluster.secrets["pm-tls-pdf"]["data"] == theirs


def test_a_job_on_a_node_years_ahead_does_not_replace_the_ca(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(api)
    before = data(cluster, "pm-ca"), serials(cluster)

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Later":
            return cls.fromtimestamp(datetime.now(tz).timestamp() + 11 * 365 * 86400, tz)

    for module in ("deploy.kubernetes.api_server", "trust.certificates.members"):
        monkeypatch.setattr(f"{module}.datetime", Later)
    with pytest.raises(ApiError, match=r"This node's clock is [0-9]+ minutes ahead"):
        run(api)
    assert (data(cluster, "pm-ca"), serials(cluster)) == before


def test_a_rotation_that_is_interrupted_in_its_last_step_is_not_done_twice(api: ApiServer, cluster: Cluster) -> None:
    run(api)

    def fail_after_the_drop() -> None:
        stored = cluster.secrets["pm-ca"]
        if "papermesh/ca-rotated" in stored["metadata"]["annotations"] and "previous.crt" in stored["data"]:
            cluster.writes_left = 1  # the CA's Secret, which forgets the old CA; nobody else's

    cluster.after_write = fail_after_the_drop
    with pytest.raises(ApiError):
        run(api, rotate_ca="now")
    cluster.after_write = lambda: None
    cluster.writes_left = 1_000_000
    rotated = data(cluster, "pm-ca")
    assert set(rotated) == {"ca.crt", "ca.key"}
    run(api, rotate_ca="now")
    assert data(cluster, "pm-ca") == rotated
    assert all(len(trusted(cluster, name)) == 1 for name in TRUSTING)


def test_two_jobs_at_once_leave_one_mesh(api_url: str, token_folder: Path, cluster: Cluster) -> None:
    def job(_: int) -> None:
        with ApiServer("office", {"app.kubernetes.io/instance": "pm"}, token_folder=token_folder, url=api_url) as own:
            for _try in range(10):
                with suppress(ApiError):
                    return run(own, rotate_ca="now")
        raise AssertionError("ten tries, and always somebody else was faster")

    with ThreadPoolExecutor(3) as jobs:
        list(jobs.map(job, range(3)))
    assert everybody_trusts_everybody(cluster)
    assert set(data(cluster, "pm-ca")) == {"ca.crt", "ca.key"}


def test_a_folder_that_an_earlier_try_of_the_job_left_does_no_harm(
    api: ApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    cluster.writes_left = 2
    job = the_settings(work_dir=tmp_path / "work")
    with pytest.raises(ApiError):
        CertificateJob(api, job).run()
    cluster.writes_left = 1_000_000
    CertificateJob(api, job).run()
    assert everybody_trusts_everybody(cluster)
    shutil.rmtree(tmp_path / "work")
    run(api)
    assert everybody_trusts_everybody(cluster)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"workloads": ("client-x",)}, "PAPERMESH_WORKLOADS is wrong: no workload may be called client-"),
        ({"workloads": ()}, "PAPERMESH_WORKLOADS is wrong"),
        ({"envoy_names": ()}, "PAPERMESH_ENVOY_NAMES is wrong"),
        ({"envoy_names": ("문서.example",)}, "PAPERMESH_ENVOY_NAMES is wrong: '문서.example' is neither a DNS name"),
        (
            {"envoy_names": ("https://papermesh.example",)},
            "PAPERMESH_ENVOY_NAMES is wrong: 'https://papermesh.example'",
        ),
        ({"listeners": ("pdf",)}, "PAPERMESH_LISTENERS is wrong: must be workload:port"),
        ({"labels": ("x",)}, "PAPERMESH_LABELS is wrong: must be name=value"),
        ({"release": "Not_one"}, "PAPERMESH_RELEASE is wrong"),
    ],
)
def test_a_wrong_setting_is_told_in_one_sentence(tmp_path: Path, wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=f"^{sentence}[^\n]*$"):
        the_settings(work_dir=tmp_path, **wrong)
