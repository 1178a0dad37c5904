"""Papermesh on one machine, without containers: what `make up` runs and the end-to-end tests use.

stack.py     Stack: everything together       ports.py         where each part listens
parts.py     what each part is started with   folders.py       where state lives
part.py      one child process                keys.py          the clients' keys, and the audit log's
keeper.py    restarts what dies               redis_server.py  which Redis, and its configuration
guardian.py  ends what a crash left           readiness.py     whether a part answers
hold.py      one supervisor for a folder      ready_socket.py  where a part says so itself
replicas.py  how many of each part            processes.py     pids that cannot be mistaken
handover.py  a part with a socket in hand     variables.py     names in the environment that nothing knows
up.py, down.py  the commands
"""
