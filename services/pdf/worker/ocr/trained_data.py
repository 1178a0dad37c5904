"""Tesseract's trained data: which there are, and which read a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.base.errors import bad_field

_FOLDERS = ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tessdata", "/usr/share/tesseract/tessdata")
"""Where Debian, Arch and Fedora keep it."""

_KOREAN = "kor"

_HANGUL = ("script/Hangul", "Hangul")
"""The model of the script, which reads Korean full of Latin words best; upstream keeps it in a folder."""


@dataclass(frozen=True, slots=True)
class Models:
    """What reads a page."""

    folder: str
    all: tuple[str, ...]
    """What was asked for, for a page in Latin script or without Korean."""

    glance: tuple[str, ...]
    """For a first look: one that knows all the letters that count, since each takes a while to load."""

    mixed: tuple[str, ...]
    """For Korean with words in other scripts; empty if no Korean was asked for."""

    korean: tuple[str, ...]
    """For Korean alone; empty if no Korean was asked for."""


def models_for(languages: Sequence[str], data: str) -> Models:
    """The models for these languages in the folder `data`; "" is Tesseract's own.

    Raises a PapermeshError BAD_ARG that names the languages for which there are none.
    """
    folder = data or next((name for name in _FOLDERS if Path(name).is_dir()), _FOLDERS[0])
    if missing := [name for name in languages if not _exists(folder, name)]:
        raise bad_field("languages", f"has no trained data here for {', '.join(missing)}")
    others = tuple(name for name in languages if name != _KOREAN)
    if len(others) == len(languages):
        return Models(folder, others, others[:1], (), ())
    script = next((name for name in _HANGUL if _exists(folder, name)), None)
    mixed = (script, *others) if script else tuple(languages)
    return Models(folder, others or (_KOREAN,), mixed[:1], mixed, (_KOREAN,))


def _exists(folder: str, name: str) -> bool:
    return Path(folder, f"{name}.traineddata").is_file()
