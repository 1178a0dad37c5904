"""What the steps of a rotation write; `test_channel` and the end-to-end tests show that no call is lost by it."""

import os
import shutil
import stat
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from hypothesis import given
from hypothesis import strategies as st

from trust.certificates import (
    CertificateError,
    Done,
    Phase,
    Step,
    authority_of,
    carry_on,
    ensure,
    folder,
    members,
    rotate_leaves,
    rotation,
    take,
)

pytestmark = pytest.mark.usefixtures("power_stays")

NOW = datetime.now(UTC).replace(microsecond=0)
MEMBERS = ("dispatch", "envoy", "pdf", "client/reports")


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    make(tmp_path / "certs")
    return tmp_path / "certs"


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates to be copied, in the midst of nothing."""
    make(directory := tmp_path_factory.mktemp("settled") / "certs")
    return directory


def make(directory: Path, now: datetime = NOW) -> None:
    ensure(directory, "default", ["dispatch", "envoy", "pdf"], clients=["reports"], now=now)


def leaf(certs: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((certs / name / "tls.crt").read_bytes())


def leaves(certs: Path) -> dict[str, x509.Certificate]:
    return {name: leaf(certs, name) for name in MEMBERS}


def trusted(certs: Path, name: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates((certs / name / "ca.crt").read_bytes())


def ca(certs: Path) -> x509.Certificate:
    return authority_of(certs).issuer.certificate


def issued_by(leaf: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(ca)
    except (ValueError, InvalidSignature):
        return False
    return True


def trusts(roots: list[x509.Certificate], leaf: x509.Certificate) -> bool:
    """Whether a verifier that follows the rules would let the leaf in."""
    verifier = PolicyBuilder().store(Store(roots)).time(NOW + timedelta(minutes=1)).build_client_verifier()
    try:
        verifier.verify(leaf, [])
    except VerificationError:
        return False
    return True


def everybody_trusts_everybody(certs: Path) -> bool:
    shown = leaves(certs).values()
    return all(trusts(trusted(certs, name), each) for name in MEMBERS for each in shown)


def test_rotating_every_leaf_gives_all_a_new_one_of_the_same_ca_for_the_same_names(certs: Path) -> None:
    before, authority = leaves(certs), ca(certs)
    outcomes = rotate_leaves(certs)
    assert {outcome.name for outcome in outcomes} == set(MEMBERS)
    for name, old in before.items():
        new = leaf(certs, name)
        assert new.serial_number != old.serial_number
        assert new.public_key() != old.public_key()
        assert issued_by(new, authority)
        names = (each.extensions.get_extension_for_class(x509.SubjectAlternativeName).value for each in (old, new))
        assert next(names) == next(names)
    assert {each.done for each in ensure(certs, "default", ["dispatch", "envoy", "pdf"])} == {Done.KEPT}


def test_one_leaf_can_be_rotated_alone(certs: Path) -> None:
    before = leaves(certs)
    (outcome,) = rotate_leaves(certs, ["client/reports"])
    assert (outcome.done, outcome.reason) == (Done.RENEWED, "it was rotated")
    assert {name for name in MEMBERS if leaf(certs, name) != before[name]} == {"client/reports"}


def test_a_name_without_a_leaf_is_refused_before_anything_changes(certs: Path) -> None:
    before = leaves(certs)
    with pytest.raises(CertificateError, match=r"reports: no certificate.*client/reports"):
        rotate_leaves(certs, ["pdf", "reports"])
    assert leaves(certs) == before


def test_first_everybody_trusts_both_and_shows_what_it_showed(certs: Path) -> None:
    before, old = leaves(certs), ca(certs)
    outcomes = take(certs, Step.TRUST, "default", now=NOW)
    new = authority_of(certs).successor
    assert new is not None
    assert {outcome.done for outcome in outcomes} == {Done.TRUST_UPDATED}
    assert leaves(certs) == before
    assert all(trusted(certs, name) == [old, new.certificate] for name in MEMBERS)
    assert new.certificate.subject != old.subject


def test_then_everybody_gets_a_leaf_of_the_new_one_and_trusts_both(certs: Path) -> None:
    old = ca(certs)
    take(certs, Step.TRUST, "default", now=NOW)
    take(certs, Step.ISSUE, "default", now=NOW)
    new = ca(certs)
    assert new != old
    assert all(issued_by(each, new) for each in leaves(certs).values())
    assert all(trusted(certs, name) == [new, old] for name in MEMBERS)


def test_at_last_nobody_trusts_the_old_one(certs: Path) -> None:
    old = ca(certs)
    for step in Step:
        take(certs, step, "default", now=NOW)
    assert authority_of(certs).phase is Phase.SETTLED
    assert all(trusted(certs, name) == [ca(certs)] for name in MEMBERS)
    assert old != ca(certs)
    assert not [file for file in certs.rglob("*") if file.name.startswith(("next", "previous"))]


def test_after_every_step_all_old_and_new_files_trust_each_other_since_not_all_take_them_up_at_once(
    certs: Path,
) -> None:
    bundles, shown = [{name: trusted(certs, name) for name in MEMBERS}], [leaves(certs)]
    for step in Step:
        take(certs, step, "default", now=NOW)
        bundles.append({name: trusted(certs, name) for name in MEMBERS})
        shown.append(leaves(certs))
    for (roots, later_roots), (now, later) in zip(pairwise(bundles), pairwise(shown), strict=True):
        for who in MEMBERS:
            for other in MEMBERS:
                assert trusts(roots[who], later[other])
                assert trusts(later_roots[who], now[other])


@pytest.mark.parametrize(
    ("taken", "step", "next_step"),
    [
        ([], Step.ISSUE, "trust"),
        ([Step.TRUST], Step.DROP, "issue"),
        ([Step.TRUST, Step.ISSUE], Step.TRUST, "drop"),
    ],
)
def test_a_step_out_of_turn_is_refused(certs: Path, taken: list[Step], step: Step, next_step: str) -> None:
    for each in taken:
        take(certs, each, "default", now=NOW)
    before = leaves(certs)
    with pytest.raises(CertificateError, match=f"is {next_step}, not {step}"):
        take(certs, step, "default", now=NOW)
    assert leaves(certs) == before


def test_the_step_that_was_taken_last_can_be_taken_again_and_changes_nothing(certs: Path) -> None:
    for step in Step:
        take(certs, step, "default", now=NOW)
        before = leaves(certs), authority_of(certs).bundle
        if step is not Step.DROP:
            take(certs, step, "default", now=NOW)
        assert (leaves(certs), authority_of(certs).bundle) == before


class Crash(BaseException):
    pass


@given(crashes=st.lists(st.integers(1, 12), max_size=6))
def test_a_rotation_that_is_interrupted_anywhere_any_number_of_times_ends_well(
    settled: Path, tmp_path_factory: pytest.TempPathFactory, crashes: list[int]
) -> None:
    certs = tmp_path_factory.mktemp("parent") / "certs"
    shutil.copytree(settled, certs, symlinks=True)
    old = ca(certs)
    real, left = folder._replace_link, [0]

    def crashing(link: Path, target: Path) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Crash
        real(link, target)

    phases = [Phase.SETTLED]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "_replace_link", crashing)
        for crash in [*crashes, -1]:
            left[0] = crash
            try:
                begin = {Phase.ISSUING: Step.ISSUE}.get(authority_of(certs).phase, Step.TRUST)
                for step in list(Step)[list(Step).index(begin) :]:
                    if step is Step.TRUST and ca(certs) != old:
                        break
                    take(certs, step, "default", now=NOW)
                    phases.append(authority_of(certs).phase)
            except Crash:
                assert everybody_trusts_everybody(certs)
    ensure(certs, "default", ["dispatch", "envoy", "pdf"], clients=["reports"], now=NOW)
    assert everybody_trusts_everybody(certs)
    assert ca(certs) != old
    assert all(trusted(certs, name) == [ca(certs)] for name in MEMBERS)
    assert len(list((certs / "ca").glob("..[0-9]*"))) <= 1 + len(crashes)


def test_ensure_goes_on_in_the_middle_of_a_rotation(certs: Path) -> None:
    take(certs, Step.TRUST, "default", now=NOW)
    echo = ensure(certs, "default", ["echo"], now=NOW)[1]
    assert echo.done is Done.ISSUED
    assert len(trusted(certs, "echo")) == 2
    take(certs, Step.ISSUE, "default", now=NOW)
    assert issued_by(leaf(certs, "echo"), ca(certs))
    take(certs, Step.DROP, "default", now=NOW)
    assert trusted(certs, "echo") == [ca(certs)]


def test_no_ca_key_ever_stands_in_a_workload_s_folder_and_the_old_one_is_gone_once_it_signs_no_more(
    certs: Path,
) -> None:
    old_key = (certs / "ca" / "ca.key").read_bytes()
    for step in Step:
        take(certs, step, "default", now=NOW)
        keys = {file.read_bytes() for file in (certs / "ca").glob("*.key")}
        for member in MEMBERS:
            held = {file.read_bytes() for file in (certs / member).rglob("*") if file.is_file()}
            assert not held & (keys | {old_key})
        everything = {file.read_bytes() for file in certs.rglob("*") if file.is_file()}
        assert (old_key in everything) == (step is Step.TRUST)


def test_all_that_a_rotation_writes_is_its_owner_s_alone_even_under_a_lax_umask(certs: Path) -> None:
    before = os.umask(0)
    try:
        for step in Step:
            take(certs, step, "default", now=NOW)
            for path in (path for path in certs.rglob("*") if not path.is_symlink()):
                assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    finally:
        os.umask(before)


def test_a_ca_that_grows_old_is_rotated_by_whoever_looks_from_time_to_time(tmp_path: Path) -> None:
    then = NOW - timedelta(days=2500)
    make(tmp_path, then)
    make(tmp_path)
    old = ca(tmp_path)
    taken = []
    for _ in range(4):
        taken.append(carry_on(tmp_path, "default", now=NOW))
        assert carry_on(tmp_path, "default", now=NOW) is None, "not before an hour has passed"
        an_hour_ago = time.time() - rotation._UNATTENDED_AFTER_S - 1
        os.utime(tmp_path / "ca" / "..data", (an_hour_ago, an_hour_ago), follow_symlinks=False)
    assert taken == [Step.TRUST, Step.ISSUE, Step.DROP, None]
    assert ca(tmp_path) != old


def test_a_young_ca_is_left_alone(certs: Path) -> None:
    assert carry_on(certs, "default", now=NOW) is None
    assert authority_of(certs).phase is Phase.SETTLED


def test_two_who_write_at_once_wait_for_each_other(certs: Path) -> None:
    with members.writing(certs):
        other = threading.Thread(target=rotate_leaves, args=(certs,))
        before = leaves(certs)
        other.start()
        other.join(0.2)
        assert other.is_alive()
        assert leaves(certs) == before
    other.join(20)
    assert leaves(certs) != before


def test_a_leaf_that_cannot_be_read_stops_a_rotation_before_it_begins(certs: Path) -> None:
    (certs / "pdf" / "tls.crt").write_text("nothing")
    with pytest.raises(
        CertificateError, match=r"pdf cannot be read. For a workload, `papermesh certs` makes a new one"
    ):
        take(certs, Step.TRUST, "default", now=NOW)
    assert authority_of(certs).phase is Phase.SETTLED


def test_without_a_ca_there_is_nothing_to_rotate(tmp_path: Path) -> None:
    for rotate in (lambda: rotate_leaves(tmp_path), lambda: take(tmp_path, Step.TRUST, "default")):
        with pytest.raises(CertificateError, match=r"no usable CA.*`papermesh certs` makes one"):
            rotate()


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "certs").write_text("a file")
    with pytest.raises(CertificateError, match="cannot be written"):
        rotate_leaves(tmp_path / "certs")
