"""What every service stands on; knows nothing of any one service.

What a module lists in `__all__` is for services of your own too (docs/add-a-service.md) and stays as it is. The rest is
for Papermesh's own parts, and may change.
"""

import os
from collections.abc import Mapping

TLS_1_3_ONLY: Mapping[str, str] = {"GRPC_SSL_CIPHER_SUITES": "ECDHE-PSK-CHACHA20-POLY1305"}
"""What the environment needs, so that grpc speaks TLS 1.3 and nothing below.

grpc for Python has no setting for the lowest version, only this one for the ciphers of TLS 1.2 and below. The cipher is
no way in: it wants a key that both sides agreed on before, which no part has, so a handshake of TLS 1.2 ends before any
certificate is looked at. The ciphers of TLS 1.3 are not chosen by it.
"""

# grpc reads it when it is first imported. A program that does so before this package gets it from its deployment.
os.environ.update(TLS_1_3_ONLY)
