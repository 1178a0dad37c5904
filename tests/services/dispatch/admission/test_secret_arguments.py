from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base import actions, canonical
from services.dispatch.admission.secret_arguments import SecretArguments

SECRETS = SecretArguments(actions.load().actions.values())
WORD = "hunter2 열쇠"
LARGEST = 2**53 - 1
"""Numbers beyond it are refused before."""


def hidden(args: Any) -> bytes:
    return SECRETS.hidden(canonical.dumps(args))


@pytest.mark.parametrize(
    "args",
    [
        {"doc_ref": {"type": "UPLOAD", "password": WORD}},
        {"left": {"type": "UPLOAD"}, "right": {"type": "UPLOAD", "password": WORD}},
        {"password": WORD},
        {"doc_ref": [[{"deeper": {"password": WORD}}]]},
        {"doc_ref": {"password": {"is": [WORD]}}},
        {"doc_ref": {"password": [WORD]}},
        {"제목": "beyond ASCII", "ratio": 1.5e-9, "password": WORD},
    ],
)
def test_a_password_is_hidden_wherever_it_stands(args: dict[str, Any]) -> None:
    found = hidden(args)
    assert found != canonical.dumps(args)
    assert WORD.encode() not in found


def test_what_is_hidden_says_nothing_of_the_password_and_all_of_the_rest() -> None:
    def args(password: str, pages: str = "1") -> dict[str, Any]:
        return {"doc_ref": {"type": "UPLOAD", "password": password}, "pages": pages}

    assert hidden(args("one")) == hidden(args("another"))
    assert hidden(args("one")) != hidden(args("one", pages="2"))
    assert hidden(args("one")) != hidden(args(""))
    assert hidden(args("one")) != hidden({"doc_ref": {"type": "UPLOAD"}, "pages": "1"})


@pytest.mark.parametrize("password", ["", None])
def test_an_empty_password_is_none(password: str | None) -> None:
    args = {"doc_ref": {"type": "UPLOAD", "password": password}}
    assert hidden(args) == canonical.dumps(args)


def test_the_word_as_a_text_is_no_password() -> None:
    args = {"query": "password", "texts": ["password", '"password":', '{"password":"x"}']}
    assert hidden(args) == canonical.dumps(args)


names = st.sampled_from(["doc_ref", "password", "pages"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=4
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST, LARGEST)
    | st.floats(-LARGEST, LARGEST)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


def bears_password(value: Any) -> bool:
    if isinstance(value, dict):
        return any((name == "password" and bool(item)) or bears_password(item) for name, item in value.items())
    return isinstance(value, list) and any(map(bears_password, value))


@given(st.dictionaries(names, values, max_size=4))
def test_arguments_change_only_where_a_password_stands(args: dict[str, Any]) -> None:
    again = SECRETS.hidden(hidden(args))
    assert again == hidden(args), "what is hidden stays hidden"
    if not bears_password(args):
        assert hidden(args) == canonical.dumps(args)
