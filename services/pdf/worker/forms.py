"""The fields of a form, and what is filled in (ISO 32000-2, 12.7)."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.pdf.worker.annotations import Widget, is_hidden
from services.pdf.worker.listing import NAME_LENGTH, CutShortError, Listing, shorten
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.scripts import has_script
from services.pdf.worker.strings import fold
from services.pdf.worker.text_strings import decode

MOST_NODES = 20_000
"""Fields, groups of fields and places of fields that are looked at."""

_MOST_DEPTH = 32
_MOST_CHOICES = 1_000
_MOST_PLACES = 100
_WITHOUT_VALUE = ("password", "button", "signature")

_PASSWORD = 1 << 13
_RADIO = 1 << 15
_PUSH_BUTTON = 1 << 16
_COMBO = 1 << 17


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form's tree. What a field does not say itself, those above it do."""

    item: Any
    name: str
    """With those of the fields above it, "applicant.name"."""

    kind: str
    flags: int
    value: Any
    options: Any
    depth: int


@dataclass(slots=True)
class Form:
    """The form of a document."""

    fields: list[Field] = dataclasses.field(default_factory=list)
    """Those that somebody fills in or signs; groups of them are left out."""

    scripted: bool = False
    """JavaScript was met."""


def find_fields(tree: Any, widgets: Mapping[int, Widget], form: Form, is_late: Callable[[], bool]) -> None:
    """Adds the fields of an /AcroForm in order, each of the file's objects once, and then those that only pages name.

    Raises mupdf.FzErrorBase when a part of the tree cannot be read, and CutShortError when it is late, or if there is
    more than is looked at; what was found before stays.
    """
    walk = _Walk(form, is_late)
    walk.follow(_items(tree, "Fields", MOST_NODES + 1))
    for number, widget in widgets.items():
        if number not in walk.seen:
            walk.follow([_topmost(widget.item)])
    if walk.is_deeper:
        raise CutShortError


class _Walk:
    """A walk through the tree, depth first."""

    def __init__(self, form: Form, is_late: Callable[[], bool]) -> None:
        self.seen: set[int] = set()
        self.is_deeper = False
        """There are fields deeper down than the walk goes."""

        self._form = form
        self._is_late = is_late
        self._steps = 0

    def follow(self, items: list[Any]) -> None:
        nothing = mupdf.PdfObj()
        top = Field(nothing, name="", kind="", flags=0, value=nothing, options=nothing, depth=0)
        ahead = [_inherit(top, item) for item in reversed(items)]
        while ahead:
            field = ahead.pop()
            if not mupdf.pdf_is_dict(field.item) or not self._is_new(field.item):
                continue
            kids = _items(field.item, "Kids", MOST_NODES + 1)
            self._steps += 1 + len(kids)
            if self._steps > MOST_NODES or self._is_late():
                raise CutShortError
            self._form.scripted = self._form.scripted or has_script(field.item)
            below = [kid for kid in kids if mupdf.pdf_dict_gets(kid, "T").m_internal]
            if not below:
                self.seen.update(map(mupdf.pdf_to_num, kids))
                if field.kind:
                    self._form.fields.append(field)
            elif field.depth < _MOST_DEPTH:
                ahead += [_inherit(field, kid) for kid in reversed(below)]
            else:
                self.is_deeper = True

    def _is_new(self, item: Any) -> bool:
        number = mupdf.pdf_to_num(item)
        if number in self.seen:
            return False
        if number:  # 0 is one written in its parent's place
            self.seen.add(number)
        return True


def _topmost(item: Any) -> Any:
    for _ in range(_MOST_DEPTH):
        above = mupdf.pdf_dict_gets(item, "Parent")
        if not mupdf.pdf_is_dict(above):
            break
        item = above
    return item


def read_fields(form: Form, widgets: Mapping[int, Widget], entries: Listing) -> None:
    """Adds each field's name, type, value and page; `widgets` are what stands on pages, by their objects' numbers.

    Raises mupdf.FzErrorBase when a field cannot be read.
    """
    for field in form.fields:
        if not entries.has_room():
            return
        kind = _type(field)
        places = _items(field.item, "Kids", _MOST_PLACES) or [field.item]
        numbers = map(mupdf.pdf_to_num, places)
        entries.add(
            {
                "name": field.name,
                "type": kind,
                "value": "" if kind in _WITHOUT_VALUE else shorten(_value(field)),
                "page": next((widgets[number].page for number in numbers if number in widgets), 0),
                "hidden": all(map(is_hidden, places)),
            }
        )


def _inherit(above: Field, item: Any) -> Field:
    own = fold(decode(mupdf.pdf_dict_gets(item, "T")))
    flags = mupdf.pdf_dict_gets(item, "Ff")
    return Field(
        item=item,
        name=".".join(filter(None, (above.name, own)))[:NAME_LENGTH],
        kind=mupdf.pdf_to_name(mupdf.pdf_dict_gets(item, "FT")) or above.kind,
        flags=mupdf.pdf_to_int(flags) if mupdf.pdf_is_int(flags) else above.flags,
        value=_own(item, "V", above.value),
        options=_own(item, "Opt", above.options),
        depth=above.depth + 1,
    )


def _own(item: Any, key: str, inherited: Any) -> Any:
    found = mupdf.pdf_dict_gets(item, key)
    return found if found.m_internal else inherited


def _items(holder: Any, key: str, limit: int) -> list[Any]:
    array = mupdf.pdf_dict_gets(holder, key)
    return [mupdf.pdf_array_get(array, index) for index in range(min(mupdf.pdf_array_len(array), limit))]


def _type(field: Field) -> str:
    match field.kind:
        case "Tx":
            return "password" if field.flags & _PASSWORD else "text"
        case "Btn":
            return "button" if field.flags & _PUSH_BUTTON else "radio" if field.flags & _RADIO else "checkbox"
        case "Ch":
            return "combo" if field.flags & _COMBO else "list"
        case "Sig":
            return "signature"
    return ""


def _value(field: Field) -> str:
    """What is filled in, as a reader sees it; several choices on a line each."""
    options = _options(field.options)
    if mupdf.pdf_is_array(field.value):
        count = min(mupdf.pdf_array_len(field.value), _MOST_CHOICES)
        chosen = [_said(mupdf.pdf_array_get(field.value, index)) for index in range(count)]
    else:
        chosen = [_said(field.value)]
    return "\n".join(options.get(each, each) for each in chosen)


def _said(value: Any) -> str:
    """A text, the state of a button (a name), or what some programs write instead, a number."""
    if mupdf.pdf_is_number(value):
        return f"{mupdf.pdf_to_real(value):g}"
    return decode(value) or str(mupdf.pdf_to_name(value))


def _options(options: Any) -> dict[str, str]:
    """What is shown for each value: of a choice by the value itself, of a button by the option's number."""
    shown: dict[str, str] = {}
    for index in range(min(mupdf.pdf_array_len(options), _MOST_CHOICES)):
        option = mupdf.pdf_array_get(options, index)
        if mupdf.pdf_is_array(option):
            shown[decode(mupdf.pdf_array_get(option, 0))] = decode(mupdf.pdf_array_get(option, 1))
        else:
            shown[str(index)] = decode(option)
    return shown
