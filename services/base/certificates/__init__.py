"""The mesh's certificates: one CA, and a leaf for every workload and client.

certs/ca/       ca.crt ca.key            the mesh CA; only this folder's owner can issue
certs/pdf/      tls.crt tls.key ca.crt   as a Kubernetes TLS Secret looks when it is mounted
certs/client/x/ tls.crt tls.key ca.crt   a company's own caller "x"
"""

from services.base.certificates.ensuring import WORKLOADS, CertificateError, Done, Outcome, callers, ensure
from services.base.certificates.issuing import ENVOY_NAMES

__all__ = ["ENVOY_NAMES", "WORKLOADS", "CertificateError", "Done", "Outcome", "callers", "ensure"]
