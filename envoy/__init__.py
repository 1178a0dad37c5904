"""The one Envoy configuration, and the code that renders it."""
