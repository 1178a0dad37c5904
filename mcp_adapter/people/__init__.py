"""Who calls: people and agents at the adapter (docs/people.md).

`authentication` stands before every route and asks one of three: nobody, `api_keys`, or `tokens` of an OpenID issuer.
"""
