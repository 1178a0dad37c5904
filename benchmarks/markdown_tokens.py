"""Counts the tokens of texts: a JSON list of texts comes in, a JSON list of numbers goes out.

Run by `markdown.py` in an environment that has bpe-openai, which carries the vocabulary o200k_base; tiktoken would
fetch it.
"""

import json
import sys
from importlib import import_module

if __name__ == "__main__":
    encoding = import_module("bpe_openai").get_encoding("o200k_base")
    print(json.dumps([len(encoding.encode_ordinary(text)) for text in json.load(sys.stdin)]))
