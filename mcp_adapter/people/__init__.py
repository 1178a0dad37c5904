"""Who calls: people and agents at the adapter (docs/people.md).

`authentication` stands before every route, and asks nobody, `api_keys`, or `tokens` from an OpenID issuer.
"""
