"""What every service stands on; knows nothing of any one service.

What a module lists in `__all__` is for services of your own too (docs/add-a-service.md) and stays as it is. The rest is
for Papermesh's own parts, and may change.
"""

import os
from collections.abc import Mapping

GRPC_ENVIRONMENT: Mapping[str, str] = {
    "GRPC_ENABLE_FORK_SUPPORT": "0",
    "GRPC_SSL_CIPHER_SUITES": "ECDHE-PSK-CHACHA20-POLY1305",
}
"""What grpc must find in the environment, since it takes neither as a setting.

The ciphers are those of TLS 1.2 and below, of which nothing shall be spoken. This one is no way in: it wants a key that
both sides agreed on before, which no part has, so a handshake of TLS 1.2 ends before any certificate is looked at. The
ciphers of TLS 1.3 are not chosen by it.

Fork support would have every start of a process wait until grpc's own threads stand still, and the event loop with it;
pdf once stood still for a minute. What a part forks runs another program at once, and needs nothing of grpc.
"""

# grpc reads it when it is first imported. A program that does so before this package gets it from its deployment.
os.environ.update(GRPC_ENVIRONMENT)
