"""The mesh's certificates: one CA, and a leaf for every workload and client.

certs/ca/       ca.crt ca.key            the mesh CA; only this folder's owner can issue
certs/pdf/      tls.crt tls.key ca.crt   laid out like a mounted Kubernetes TLS Secret
certs/client/x/ tls.crt tls.key ca.crt   a company's own caller "x"

`ensure` creates and renews them; `rotate_leaves` and `rotate_ca` replace valid ones while the mesh runs.
"""

from trust.certificates.authority import Phase
from trust.certificates.ensuring import ensure
from trust.certificates.issuing import ENVOY_NAMES
from trust.certificates.members import CertificateError, Done, Outcome, callers, workloads
from trust.certificates.rotation import Step, authority_of, carry_on, remaining, rotate_leaves, take
from trust.certificates.takeup import SETTLE_S, Listener, rotate_ca, wait

__all__ = [
    "ENVOY_NAMES",
    "SETTLE_S",
    "CertificateError",
    "Done",
    "Listener",
    "Outcome",
    "Phase",
    "Step",
    "authority_of",
    "callers",
    "carry_on",
    "ensure",
    "remaining",
    "rotate_ca",
    "rotate_leaves",
    "take",
    "wait",
    "workloads",
]
