"""HTTP as people and proxies speak it: connections, bodies, hosts, and what one peer may take."""
