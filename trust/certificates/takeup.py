"""Whether listeners have taken up new files, as TLS handshakes show: not guessed from the time that has passed."""

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509

from services.base.identity import workload_id
from trust.certificates.folder import publish
from trust.certificates.issuing import Pair, issue_leaf
from trust.certificates.members import CertificateError, moment
from trust.certificates.rotation import Step, authority_of, remaining, take

SETTLE_S = 5.0
"""The least time for parts that only call, after all listeners have taken up the files: a channel checks every second,
and shows a new certificate once Envoy has accepted it."""

LIMIT_S = 300.0
"""How long to wait for listeners; the kubelet takes up to two minutes to update a mounted Secret."""

_ANSWER_S = 5.0
_PROBE_LIFE = timedelta(minutes=15)
"""Its key passes through a temporary file, so a copy found there later must be worthless."""

_LOOK_EVERY_S = 0.5

# HTTP/2's connection preface and an empty SETTINGS frame (RFC 9113, 3.4). TLS 1.3 lets a client finish before its
# certificate was judged; what the server says next is the judgement.
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that shows a member's certificate."""

    member: str
    """"pdf"; its folder, from the certificates' root."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.member} at {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a listener showed, and whether it accepted the certificate that it was shown."""

    certificate: x509.Certificate
    let_in: bool


def shake_hands(listener: Listener, leaf: Pair) -> Handshake | None:
    """Connects as the holder of `leaf`; None when nobody listens there.

    Raises:
        OSError: when the listener does not answer, or not with TLS.
    """
    try:
        plain = socket.create_connection((listener.host, listener.port), timeout=_ANSWER_S)
    except ConnectionRefusedError:
        return None
    with plain, _context(leaf).wrap_socket(plain) as secure:
        shown = secure.getpeercert(binary_form=True) or b""
        try:
            secure.sendall(_HELLO)
            let_in = bool(secure.recv(1))
        except OSError:  # an alert of TLS, or a connection that was closed
            let_in = False
        return Handshake(x509.load_der_x509_certificate(shown), let_in)


def wait(
    directory: Path,
    namespace: str,
    listeners: Callable[[], Sequence[Listener]],
    *,
    settle_s: float = SETTLE_S,
    limit_s: float = LIMIT_S,
    age_s: float = 0,
) -> None:
    """Waits until every listener shows its newest leaf and trusts every CA of the bundle, and as long for the others.

    Those cannot be asked. Who began to listen meanwhile may have been given the files of before, and is seen by looking
    again. A listener that is not running has nothing to take up: it will start with what is in its folder.

    Args:
        directory: Root of the layout.
        namespace: The deployment's namespace.
        listeners: Whom to ask, at each look: every replica of every listening part.
        settle_s: Seconds that parts which cannot be asked get at least.
        limit_s: Seconds to wait at most.
        age_s: Seconds since the files were written, if that was before this call.

    Raises:
        CertificateError: when the limit has passed, naming who has not taken up what.
    """
    began = time.monotonic()
    settled = False
    while True:
        late = _laggards(directory, namespace, listeners())
        took_s = time.monotonic() - began
        if not late and settled:
            return
        if not late:
            time.sleep(max(settle_s, min(age_s + took_s, limit_s)))
        elif took_s > limit_s:
            raise CertificateError(
                f"After {limit_s:g} seconds {', '.join(map(str, late))} had not taken up the new certificates. No call "
                "is lost by that. Read its log, then run the same command again to go on."
            )
        else:
            time.sleep(_LOOK_EVERY_S)  # nothing tells that a part has read its files again
        settled = not late


def rotate_ca(
    directory: Path,
    namespace: str,
    listeners: Sequence[Listener],
    *,
    settle_s: float = SETTLE_S,
    limit_s: float = LIMIT_S,
    report: Callable[[Step], None] = lambda _: None,
) -> None:
    """Takes all steps of a rotation, or the rest of an interrupted one, and waits after each for its take-up.

    Args:
        directory: Root of the layout.
        namespace: The deployment's namespace.
        listeners: Whom to ask.
        settle_s: See `wait`.
        limit_s: See `wait`; for each step.
        report: Called with each step once it is done and taken up, so that the next one is safe.

    Raises:
        CertificateError: when a step cannot be taken, or is not taken up in time. Call it again to continue from there.
    """
    for step in remaining(directory):
        take(directory, step, namespace)
        if step is not Step.DROP:  # after which nothing comes that would have to wait
            wait(directory, namespace, lambda: listeners, settle_s=settle_s, limit_s=limit_s)
        report(step)


def _laggards(directory: Path, namespace: str, listeners: Sequence[Listener]) -> list[Listener]:
    """Those that do not show their newest leaf yet, or do not trust every CA that can sign."""
    ca, now = authority_of(directory), moment()
    # Leaves for these handshakes alone, of every CA that can still sign.
    signers = [each for each in (ca.successor, ca.issuer) if each]
    probes = [issue_leaf(each, workload_id(namespace, "operator"), (), now, _PROBE_LIFE) for each in signers]
    return [each for each in listeners if not _has_taken_up(directory, each, probes)]


def _has_taken_up(directory: Path, listener: Listener, probes: Sequence[Pair]) -> bool:
    newest = _leaf(directory, listener.member)
    for probe in probes:
        try:
            shaken = shake_hands(listener, probe)
        except OSError:  # it is being restarted, or cut off; the limit tells
            return False
        if shaken and not (shaken.let_in and shaken.certificate == newest):
            return False
    return True


def _leaf(directory: Path, member: str) -> x509.Certificate:
    file = directory / member / "tls.crt"
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        raise CertificateError(f"Cannot ask who has taken up {file}: {error}") from None


def _context(leaf: Pair) -> ssl.SSLContext:
    """A client that shows `leaf` and accepts any certificate: the caller wants to know which one it is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2"])
    with TemporaryDirectory(prefix="papermesh-") as folder:  # ssl takes a key from a file and from nowhere else
        own = Path(folder, "probe")
        publish(own, {"tls.crt": leaf.certificate_pem, "tls.key": leaf.key_pem})
        context.load_cert_chain(own / "tls.crt", own / "tls.key")
    return context
