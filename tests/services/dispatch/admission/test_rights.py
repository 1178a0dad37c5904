import re
import timeit
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.admission.clients import Client
from services.dispatch.admission.rights import Globs
from tests.support.clients import ADAPTER_ID, ADAPTER_KEY, encoded

LETTERS = "abA@._-/제é\n"
TEXTS = st.text(LETTERS, max_size=6)
GLOBS = st.text(LETTERS + "*?", max_size=5)
SOME_GLOBS = st.lists(GLOBS, max_size=3)
GRANTS = st.lists(
    st.fixed_dictionaries(
        {"actors": st.lists(GLOBS, min_size=1, max_size=3), "actions": SOME_GLOBS, "projects": SOME_GLOBS}
    ),
    max_size=4,
)


def client(**fields: Any) -> Client:
    """The adapter, with these rights."""
    key = {"id": "k1", "secret": encoded(ADAPTER_KEY.secret)}
    entry = {"id": "adapter", "keys": [key], "certificate": ADAPTER_ID, "acts_for": True}
    return Client.model_validate({**entry, **fields})


def matches(glob: str, text: str) -> bool:
    """What a glob means, letter by letter."""
    if not glob:
        return not text
    if glob[0] == "*":
        return matches(glob[1:], text) or (bool(text) and matches(glob, text[1:]))
    return bool(text) and glob[0] in ("?", text[0]) and matches(glob[1:], text[1:])


def any_matches(globs: Iterable[str], text: str) -> bool:
    return any(matches(glob, text) for glob in globs)


def allowed(own: Sequence[str], grants: Sequence[dict[str, list[str]]], kind: str, actor: str, wanted: str) -> bool:
    """What the grants mean: some grant names the actor and the thing, and the client itself may have it."""
    granted = any(any_matches(grant["actors"], actor) and any_matches(grant[kind], wanted) for grant in grants)
    return granted and any_matches(own, wanted)


@given(st.lists(GLOBS, max_size=4), TEXTS)
def test_globs_match_as_they_mean(globs: list[str], text: str) -> None:
    assert Globs(globs).match(text) == any_matches(globs, text)


@given(st.text(max_size=8).filter(lambda text: not re.search(r"[*?\[]", text)), st.text(max_size=8))
def test_a_glob_without_signs_matches_itself_alone(glob: str, text: str) -> None:
    assert Globs([glob]).match(glob)
    assert Globs([glob]).match(text) == (glob == text)


@pytest.mark.parametrize(
    ("glob", "text", "fits"),
    [
        ("*@corp.example", "kim@corp.example", True),
        ("*@corp.example", "김철수@corp.example", True),
        ("*@corp.example", "kim@corp.example.evil.example", False),
        ("*@corp.example", "kim@corp.example\n", False),
        ("*@corp.example", "kim@corpXexample", False),
        ("*@corp.example", "kim@Corp.example", False),
        ("kim@corp.example", "Kim@corp.example", False),
        ("kim@corp.example", "akim@corp.example", False),
        ("team-[ab]-*", "team-a-kim", True),
        ("team-[ab]-*", "team-c-kim", False),
        ("team-[!ab]-*", "team-c-kim", True),
        ("[*]", "*", True),
        ("[*]", "x", False),
        ("김*", "김철수", True),
        ("김*", "\u1100\u1175\u11b7철수", False),  # the same letters, taken apart: not the same actor
        ("a|b", "a", False),
        ("a.c", "abc", False),
        ("(?i)kim", "KIM", False),
    ],
)
def test_a_glob_fits_a_whole_text(glob: str, text: str, *, fits: bool) -> None:
    assert Globs([glob]).match(text) == fits


def test_a_glob_made_to_take_long_does_not() -> None:
    globs = Globs(["*a" * 60 + "b"])
    assert timeit.timeit(lambda: globs.match("a" * 256), number=1) < 1


@given(SOME_GLOBS, SOME_GLOBS, GRANTS, TEXTS, TEXTS)
def test_an_actor_has_what_its_grants_allow_together_and_never_more_than_the_client(
    actions: list[str], projects: list[str], grants: list[dict[str, list[str]]], actor: str, wanted: str
) -> None:
    rights = client(actions=actions, projects=projects, grants=grants).rights(actor)
    assert rights.may_invoke(wanted) == allowed(actions, grants, "actions", actor, wanted)
    assert rights.may_read_project(wanted) == allowed(projects, grants, "projects", actor, wanted)
    assert rights.are_none == (not any(any_matches(grant["actors"], actor) for grant in grants))


@given(SOME_GLOBS, GRANTS | st.none(), TEXTS, TEXTS)
def test_the_client_itself_and_without_grants_every_actor_has_the_client_s_rights(
    globs: list[str], grants: list[dict[str, list[str]]] | None, actor: str, wanted: str
) -> None:
    own = client(actions=globs, projects=globs, grants=grants).rights("adapter")
    everybody = client(actions=globs, projects=globs).rights(actor)
    for rights in (own, everybody):
        assert rights.may_invoke(wanted) == any_matches(globs, wanted)
        assert rights.may_read_project(wanted) == any_matches(globs, wanted)
        assert not rights.are_none


def test_an_empty_list_of_grants_leaves_nobody_but_the_client() -> None:
    strict = client(actions=["*"], grants=[])
    assert strict.rights("kim").are_none
    assert not strict.rights("kim").may_invoke("PDF_TEXT")
    assert strict.rights("adapter").may_invoke("PDF_TEXT")


def test_a_grant_for_nothing_is_still_a_grant() -> None:
    rights = client(actions=["*"], grants=[{"actors": ["kim"]}]).rights("kim")
    assert not rights.are_none
    assert not rights.may_invoke("PDF_TEXT")


def test_actors_that_are_invented_fill_no_memory() -> None:
    adapter = client(actions=["*"], grants=[{"actors": ["kim"], "actions": ["PDF_*"]}])
    for number in range(10_000):
        assert adapter.rights(f"nobody-{number}").are_none
    assert adapter.rights("kim").may_invoke("PDF_TEXT")
    assert adapter._rights_of.cache_info().currsize <= 4096  # type: ignore[attr-defined]  # its type does not say that it remembers
