import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.kubernetes.api_server import TLS, ApiError, ApiServer, Pod, SecretError
from trust.certificates.issuing import issue_ca

Cluster = Any
NAMESPACE = "office"


def data(cluster: Cluster, name: str) -> dict[str, bytes]:
    return {key: base64.b64decode(text) for key, text in cluster.secrets[name]["data"].items()}


def test_a_secret_that_is_not_there_is_none(api: ApiServer) -> None:
    assert api.secret("pm-ca") is None


def test_what_is_put_can_be_read_with_its_labels_type_and_annotations(api: ApiServer, cluster: Cluster) -> None:
    api.put("pm-tls-pdf", {"tls.crt": b"\x00\xff"}, annotations={"papermesh/note": "1"}, kind=TLS)
    found = api.secret("pm-tls-pdf")
    assert found is not None
    assert (found.data, found.annotations, found.manifest["type"]) == (
        {"tls.crt": b"\x00\xff"},
        {"papermesh/note": "1"},
        TLS,
    )
    assert cluster.secrets["pm-tls-pdf"]["metadata"]["labels"] == {"app.kubernetes.io/instance": "pm"}


def test_a_replacement_keeps_what_others_wrote_on_it_and_drops_the_old_data(api: ApiServer, cluster: Cluster) -> None:
    api.put("pm-ca", {"old": b"1"}, annotations={"theirs": "stays"})
    cluster.secrets["pm-ca"]["metadata"]["labels"]["also"] = "stays"
    found = api.secret("pm-ca")
    replaced = api.put("pm-ca", {"new": b"2"}, replaced=found, annotations={"ours": "added"})
    assert replaced.data == {"new": b"2"}
    assert replaced.annotations == {"theirs": "stays", "ours": "added"}
    assert cluster.secrets["pm-ca"]["metadata"]["labels"]["also"] == "stays"


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(api: ApiServer) -> None:
    first = api.put("pm-ca", {"file": b"1"})
    api.put("pm-ca", {"file": b"theirs"}, replaced=first)
    with pytest.raises(ApiError, match="Another process was faster to replace the Secret pm-ca"):
        api.put("pm-ca", {"file": b"ours"}, replaced=first)
    with pytest.raises(ApiError, match="Another process was faster to make the Secret pm-ca"):
        api.put("pm-ca", {"file": b"ours"})


@pytest.mark.parametrize("labels", [None, {}, {"app.kubernetes.io/instance": "another"}])
def test_a_secret_of_somebody_else_is_never_written_over(
    api: ApiServer, cluster: Cluster, labels: dict[str, str] | None
) -> None:
    api.put("pm-ca", {"tls.key": b"theirs"})
    cluster.secrets["pm-ca"]["metadata"]["labels"] = labels
    with pytest.raises(SecretError, match=r"pm-ca is not this release's, .* stays as it is\. Give the release another"):
        api.put("pm-ca", {"tls.key": b"ours"}, replaced=api.secret("pm-ca"))
    assert data(cluster, "pm-ca") == {"tls.key": b"theirs"}


def test_a_secret_that_may_not_be_changed_is_told(api: ApiServer, cluster: Cluster) -> None:
    api.put("pm-ca", {"file": b"1"})
    cluster.secrets["pm-ca"]["immutable"] = True
    with pytest.raises(SecretError, match=r"The Secret pm-ca is marked immutable\. Remove it"):
        api.put("pm-ca", {"file": b"2"}, replaced=api.secret("pm-ca"))


def test_a_question_is_asked_again_when_the_server_cannot_answer_just_now(api: ApiServer, cluster: Cluster) -> None:
    api.put("pm-ca", {"file": b"1"})
    cluster.hiccups = [503, 500]
    found = api.secret("pm-ca")
    assert found is not None
    assert found.data == {"file": b"1"}


def test_a_command_is_given_again_only_when_it_was_refused_for_its_rate(api: ApiServer, cluster: Cluster) -> None:
    cluster.hiccups = [429]
    first = api.put("pm-ca", {"file": b"1"})
    cluster.hiccups = [503]
    with pytest.raises(ApiError, match="refuses to replace the Secret pm-ca: 503"):
        api.put("pm-ca", {"file": b"2"}, replaced=first)
    assert cluster.writes == ["POST secrets", "POST secrets", "PUT pm-ca"]


def test_a_token_that_the_kubelet_has_renewed_is_used(api: ApiServer, cluster: Cluster, token_folder: Path) -> None:
    assert api.secret("pm-ca") is None
    cluster.token = cluster.token[::-1]
    (token_folder / "token").write_text(cluster.token, encoding="ascii")
    assert api.secret("pm-ca") is None


@pytest.mark.parametrize("token", [b"two\nlines", b"", "토큰".encode(), b"to\x00ken"])
def test_a_token_that_is_none_is_told_and_not_shown(api: ApiServer, token_folder: Path, token: bytes) -> None:
    (token_folder / "token").write_bytes(token)
    with pytest.raises(ApiError, match=r"serviceaccount/token holds no token: it must be one line of") as told:
        api.secret("pm-ca")
    assert "two" not in str(told.value)


@pytest.mark.parametrize(("ahead_s", "way"), [(-3630, "ahead of"), (3630, "behind")])
def test_a_clock_that_is_wrong_is_told_before_anything_is_made(
    api: ApiServer, cluster: Cluster, ahead_s: int, way: str
) -> None:
    cluster.ahead_s = ahead_s
    with pytest.raises(ApiError, match=rf"This node's clock is 60 minutes {way} the API server's"):
        api.secret("pm-ca")


def test_a_clock_that_is_a_little_off_is_none_of_its_business(api: ApiServer, cluster: Cluster) -> None:
    cluster.ahead_s = 240
    assert api.secret("pm-ca") is None


def test_only_pods_that_run_and_stay_are_listed(api: ApiServer, cluster: Cluster) -> None:
    cluster.pod("pdf", "10.0.0.1")
    cluster.pod("pdf", "10.0.0.2", ending=True)
    cluster.pod("pdf", "10.0.0.3", phase="Succeeded")
    cluster.pod("pdf", "")
    cluster.pod("adapter", "10.0.0.4")
    assert api.pods("pm") == (Pod("pdf", "10.0.0.1"), Pod("adapter", "10.0.0.4"))


def test_a_role_that_is_too_small_is_told_and_what_was_sent_is_not(api: ApiServer, cluster: Cluster) -> None:
    cluster.refusing = {"POST": 403, "GET": 422}
    with pytest.raises(ApiError, match="Role in office does not let it make the Secret pm-ca") as forbidden:
        api.put("pm-ca", {"ca.key": b"S3cret"})
    with pytest.raises(ApiError, match="refuses to read the Secret pm-ca: 422") as refused:
        api.secret("pm-ca")
    assert "S3cret" not in str(forbidden.value) + str(refused.value)


def test_a_server_of_another_ca_is_not_trusted(api_url: str, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "token").write_text("token", encoding="ascii")
    (stranger / "ca.crt").write_bytes(issue_ca("else", datetime.now(UTC)).certificate_pem)
    with (
        ApiServer(NAMESPACE, {}, token_folder=stranger, url=api_url) as api,
        pytest.raises(ApiError, match=r"could not be asked to read the Secret pm-ca: .*CERTIFICATE_VERIFY_FAILED"),
    ):
        api.secret("pm-ca")


@pytest.mark.usefixtures("api_url")
def test_outside_a_pod_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ApiError, match=r"no service account here .*automountServiceAccountToken"):
        ApiServer(NAMESPACE, {}, token_folder=tmp_path / "nothing")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ApiError, match="KUBERNETES_SERVICE_HOST is not set"):
        ApiServer(NAMESPACE, {}, token_folder=tmp_path / "serviceaccount")


def test_no_proxy_of_the_environment_is_used(api_url: str, token_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with ApiServer(NAMESPACE, {}, token_folder=token_folder, url=api_url) as api:
        assert api.secret("pm-ca") is None
