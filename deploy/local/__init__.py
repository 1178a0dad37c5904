"""Papermesh on one machine, without containers: what `make up` runs and the end-to-end tests use.

stack.py     Stack: everything together       services.py      the list of services
parts.py     what each part is started with   ports.py         where each part listens
part.py      one child process                folders.py       where state lives
keeper.py    restarts what dies               client_keys.py   the clients and their keys
guardian.py  ends what a crash left           redis_server.py  which Redis, and its configuration
hold.py      one supervisor for a folder      readiness.py     whether a part answers
replicas.py  how many of each part            ready_socket.py  where a part says so itself
handover.py  a part with a socket in hand     processes.py     pids that cannot be mistaken
up.py, down.py  the commands                  variables.py     names in the environment that nothing knows
"""
