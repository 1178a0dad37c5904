"""What a document has besides its text, in files that nobody would write."""

from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.pdf.worker.extras import _FIELDS
from tests.services.pdf.support import describe

Write = Callable[..., Path]

_KEYS = (
    *("Names", "Kids", "Nums", "Fields", "Parent", "T", "FT", "V", "Opt", "Ff", "F", "UF", "EF", "AF", "Annots", "AA"),
    *("A", "S", "Next", "D", "Dest", "URI", "Subtype", "Rect", "Contents", "M", "FS", "ByteRange", "P", "St", "Name"),
    *("PageLabels", "AcroForm", "EmbeddedFiles", "JavaScript", "Collection", "MarkInfo", "StructTreeRoot", "Lang"),
)
_NAMES = (
    "Link",
    "Text",
    "Widget",
    "FileAttachment",
    "Sig",
    "Tx",
    "Btn",
    "Ch",
    "GoTo",
    "URI",
    "Launch",
    "r",
    "A",
    "Off",
)

values = st.recursive(
    st.sampled_from(["null", "true", "7", "-1", "1e30", "(text)", "<feffd55c>", "9999999999", "99 0 R"])
    | st.integers(1, 7).map("{} 0 R".format)
    | st.sampled_from(_NAMES).map("/{}".format),
    lambda inner: (
        st.lists(inner, max_size=5).map(lambda items: f"[{' '.join(items)}]")
        | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5).map(
            lambda items: f"<<{' '.join(f'/{key} {item}' for key, item in items.items())}>>"
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(_KEYS), values, max_size=8),
    st.dictionaries(st.sampled_from(("Annots", "AA", "AF")), values, max_size=3),
    st.lists(values, min_size=4, max_size=4),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nonsense_where_something_is_expected_costs_at_most_itself(
    write_objects: Write, catalog: dict[str, str], page: dict[str, str], more: list[str]
) -> None:
    path = write_objects(
        f"<</Type/Catalog/Pages 2 0 R{''.join(f'/{key} {value}' for key, value in catalog.items())}>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]{''.join(f'/{key} {value}' for key, value in page.items())}>>",
        *more,
    )
    described = describe(path)
    assert described["pages"] == 1
    assert set(described["truncated"]) <= set(_FIELDS)
