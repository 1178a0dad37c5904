"""The one Envoy configuration, and what renders it."""
