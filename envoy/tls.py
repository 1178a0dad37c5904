"""Mutual TLS 1.3 on both legs, with secrets that Envoy rereads when their folder changes."""

from envoy.message import Message, extension, typed
from envoy.topology import Topology
from services.base.identity import TRUST_DOMAIN, workload_id

CERTIFICATE_FILE = "sds_certificate.yaml"
TRUST_FILE = "sds_trust.yaml"

_CERTIFICATE = "envoy"
_TRUST = "mesh_ca"
_TLS = "extensions.transport_sockets.tls.v3"


def downstream(topology: Topology) -> Message:
    """The listeners' side: nobody connects without a certificate of this deployment.

    Sessions are not resumed: that would skip the check of the certificate, which may have expired or lost its CA.
    """
    # The slash keeps "prod" from matching "prod-eu".
    namespace = {"prefix": f"spiffe://{TRUST_DOMAIN}/ns/{topology.namespace}/"}
    return extension(
        f"{_TLS}.DownstreamTlsContext",
        require_client_certificate=True,
        disable_stateless_session_resumption=True,
        disable_stateful_session_resumption=True,
        common_tls_context=_common(topology, namespace),
    )


def upstream(topology: Topology, target: str) -> Message:
    """The clusters' side: calls only `target`, not anybody else with a certificate of the same CA."""
    return extension(
        f"{_TLS}.UpstreamTlsContext",
        max_session_keys=0,
        common_tls_context=_common(topology, {"exact": workload_id(topology.namespace, target)}),
    )


def secrets(topology: Topology) -> dict[str, Message]:
    """The files that listeners and clusters refer to, by file name.

    Both the file and the secret watch a folder: a mounted Secret changes by swapping a symlink, which Envoy notices
    only as a move within a watched folder.
    """
    folder = topology.tls_dir
    watched = {"path": folder}
    certificate = {
        "certificate_chain": {"filename": f"{folder}/tls.crt"},
        "private_key": {"filename": f"{folder}/tls.key"},
        "watched_directory": watched,
    }
    trust = {"trusted_ca": {"filename": f"{folder}/ca.crt"}, "watched_directory": watched}
    return {
        CERTIFICATE_FILE: _resource(_CERTIFICATE, tls_certificate=certificate),
        TRUST_FILE: _resource(_TRUST, validation_context=trust),
    }


def _resource(name: str, **secret: Message) -> Message:
    return {"resources": [typed(f"{_TLS}.Secret", name=name, **secret)]}


def _common(topology: Topology, peer: Message) -> Message:
    """What both legs share; `peer` is a string matcher for the URI SAN of the other end."""
    return {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
        "alpn_protocols": ["h2"],
        "tls_certificate_sds_secret_configs": [_sds(topology, _CERTIFICATE, CERTIFICATE_FILE)],
        "combined_validation_context": {
            "default_validation_context": {"match_typed_subject_alt_names": [{"san_type": "URI", "matcher": peer}]},
            "validation_context_sds_secret_config": _sds(topology, _TRUST, TRUST_FILE),
        },
    }


def _sds(topology: Topology, name: str, file: str) -> Message:
    return {
        "name": name,
        "sds_config": {
            "resource_api_version": "V3",
            "path_config_source": {
                "path": f"{topology.config_dir}/{file}",
                "watched_directory": {"path": topology.config_dir},
            },
        },
    }
