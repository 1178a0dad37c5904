"""HTTP as people and proxies speak it: connections, bodies, hosts, and one peer's share."""
