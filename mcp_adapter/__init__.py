"""The adapter: JSON over HTTP in, signed gRPC out."""
