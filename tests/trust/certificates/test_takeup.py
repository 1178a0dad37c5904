"""Whether a listener has new files, asked of a real server in TLS handshakes."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.base.identity import workload_id
from services.base.testing import Running, running
from trust.certificates import (
    CertificateError,
    Listener,
    Phase,
    Step,
    authority_of,
    ensure,
    rotate_ca,
    rotate_leaves,
    take,
    takeup,
    wait,
)
from trust.certificates.issuing import Pair, issue_leaf


@pytest.fixture
async def up(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(directory=tmp_path) as up:
        ensure(up.certificates, "default", ["pdf"])
        yield up


@pytest.fixture
def listener(up: Running) -> Listener:
    return Listener("envoy", "127.0.0.1", up.server.port)


def probe(certificates: Path, issuer: Pair | None = None) -> Pair:
    signer = issuer or authority_of(certificates).issuer
    return issue_leaf(signer, workload_id("default", "operator"), (), datetime.now(UTC).replace(microsecond=0))


async def waits(up: Running, *listeners: Listener, limit_s: float = 20) -> None:
    await asyncio.to_thread(wait, up.certificates, "default", lambda: listeners, settle_s=0, limit_s=limit_s)


async def test_a_handshake_tells_what_is_shown_and_who_is_let_in(up: Running, listener: Listener) -> None:
    shaken = await asyncio.to_thread(takeup.shake_hands, listener, probe(up.certificates))
    assert shaken is not None
    assert shaken.let_in
    assert shaken.certificate == authority_leaf(up.certificates / "envoy")


def authority_leaf(folder: Path) -> object:
    return Pair.from_pem((folder / "tls.crt").read_bytes(), (folder / "tls.key").read_bytes()).certificate


async def test_a_leaf_of_a_ca_that_is_not_trusted_is_not_let_in(listener: Listener, tmp_path: Path) -> None:
    ensure(tmp_path / "other", "default", ["operator"])
    shaken = await asyncio.to_thread(takeup.shake_hands, listener, probe(tmp_path / "other"))
    assert shaken is not None
    assert not shaken.let_in


async def test_new_leaves_are_waited_for_until_they_are_shown(up: Running, listener: Listener) -> None:
    rotate_leaves(up.certificates)
    await waits(up, listener)


async def test_whoever_shows_an_old_leaf_is_named_when_the_limit_has_passed(up: Running, listener: Listener) -> None:
    other = Listener("pdf", "127.0.0.1", up.server.port)  # which shows Envoy's
    with pytest.raises(CertificateError, match=rf"After 0.5 seconds pdf at 127.0.0.1:{listener.port} had not taken up"):
        await waits(up, listener, other, limit_s=0.5)


async def test_whoever_does_not_trust_the_new_ca_yet_is_waited_for(up: Running, listener: Listener) -> None:
    stale = (up.certificates / "envoy" / "ca.crt").read_bytes()
    take(up.certificates, Step.TRUST, "default")
    bundle = (up.certificates / "envoy" / "ca.crt").read_bytes()
    (up.certificates / "envoy" / "ca.crt").write_bytes(stale)
    with pytest.raises(CertificateError, match="had not taken up"):
        await waits(up, listener, limit_s=0.5)
    (up.certificates / "envoy" / "ca.crt").write_bytes(bundle)
    await waits(up, listener)


async def test_where_nobody_listens_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    async with running(directory=tmp_path) as up:
        listener = Listener("envoy", "127.0.0.1", up.server.port)
    await waits(up, listener, limit_s=5)


async def test_whoever_listens_and_speaks_no_tls_is_named(up: Running) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(CertificateError, match=f"pdf at 127.0.0.1:{port} had not taken up"):
            await waits(up, Listener("pdf", "127.0.0.1", port), limit_s=0.5)


async def test_a_name_without_a_certificate_cannot_be_waited_for(up: Running) -> None:
    with pytest.raises(CertificateError, match="ghost"):
        await waits(up, Listener("ghost", "127.0.0.1", up.server.port))


async def test_a_whole_rotation_waits_for_each_step_and_refuses_the_old_ca_in_the_end(
    up: Running, listener: Listener
) -> None:
    old, steps = probe(up.certificates), []
    await asyncio.to_thread(
        rotate_ca, up.certificates, "default", [listener], settle_s=0, limit_s=20, report=steps.append
    )
    assert steps == list(Step)
    assert authority_of(up.certificates).phase is Phase.SETTLED
    refused = await asyncio.to_thread(takeup.shake_hands, listener, old)
    taken = await asyncio.to_thread(takeup.shake_hands, listener, probe(up.certificates))
    assert refused is not None
    assert taken is not None
    assert (refused.let_in, taken.let_in) == (False, True)


@pytest.mark.parametrize("left_at", [Step.TRUST, Step.ISSUE])
async def test_an_interrupted_rotation_goes_on_where_it_stood(up: Running, listener: Listener, left_at: Step) -> None:
    for step in list(Step)[: list(Step).index(left_at) + 1]:
        take(up.certificates, step, "default")
    authority = authority_of(up.certificates)
    begun = authority.successor or authority.issuer
    await asyncio.to_thread(rotate_ca, up.certificates, "default", [listener], settle_s=0, limit_s=20)
    assert authority_of(up.certificates).issuer.certificate == begun.certificate
    assert authority_of(up.certificates).phase is Phase.SETTLED


def test_a_probe_s_key_is_gone_when_its_context_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure(tmp_path / "certs", "default", [])
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    context = takeup._context(probe(tmp_path / "certs"))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert not list((tmp_path / "tmp").iterdir())
