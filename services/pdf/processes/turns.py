"""Who is next: the waiting requests, in the order of their callers' turns, not of their arrival.

Max-min fairness, as in fair queueing for links, with places at work instead of bandwidth. A free place goes to the
client with the fewest; among equals, to the one whose last turn is longest ago. Among a client's actors the same rule
decides, and of one actor's requests the oldest is first. So whoever sends many waits for itself: a client waits for at
most one request of each other client, however many they have sent, and inventing actors earns no turns.

When there is no more room, the longest line gives way (McKenney, Stochastic Fairness Queueing, 1990).
"""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass

from services.base.flow import Flow


@dataclass(eq=False, slots=True)
class Request:
    """Somebody who waits for a place at work, and gets it through the future."""

    flow: Flow
    turn: asyncio.Future[None]
    counted: bool
    """Whether it takes room. A part of a request that was let in before does not, and never gives way."""


class Turns:
    """The waiting requests by flow, and how many places each flow has."""

    def __init__(self) -> None:
        # Dictionaries keep insertion order: whoever has had a turn goes behind the others.
        self._waiting: dict[str, dict[str, deque[Request]]] = {}
        self._at_work: Counter[str | Flow] = Counter()

    def __len__(self) -> int:
        return sum(len(line) for actors in self._waiting.values() for line in actors.values())

    def add(self, request: Request) -> None:
        """Adds a request behind those of its flow."""
        self._waiting.setdefault(request.flow.client, {}).setdefault(request.flow.actor, deque()).append(request)

    def remove(self, request: Request) -> None:
        """Takes a request out, if it still waits."""
        line = self._waiting.get(request.flow.client, {}).get(request.flow.actor)
        if line is not None and request in line:
            line.remove(request)
            self._tidy(request.flow)

    def next(self) -> Request | None:
        """Takes out the request whose turn it is, and counts a place as its flow's; None if nobody waits."""
        if not self._waiting:
            return None
        client = min(self._waiting, key=lambda each: self._at_work[each])
        actors = self._waiting.pop(client)
        flow = Flow(client, min(actors, key=lambda each: self._at_work[Flow(client, each)]))
        line = actors.pop(flow.actor)
        request = line.popleft()
        self._waiting[client] = actors
        actors[flow.actor] = line
        self._tidy(flow)
        self.begin(flow)
        return request

    def begin(self, flow: Flow) -> None:
        """Counts a place as the flow's."""
        self._at_work[flow.client] += 1
        self._at_work[flow] += 1

    def end(self, flow: Flow) -> None:
        """Stops counting it."""
        for holder in (flow.client, flow):
            self._at_work[holder] -= 1
            if not self._at_work[holder]:  # actors can be invented without end
                del self._at_work[holder]

    def gives_way(self, flow: Flow) -> Request | None:
        """The request whose place a newcomer of the flow may take: the longest line's last; None if that is its own.

        The lines are the clients' and, within the longest of these, its actors', each with the newcomer in it.
        """
        lines = {
            Flow(client, actor): [request for request in line if request.counted]
            for client, actors in self._waiting.items()
            for actor, line in actors.items()
        }
        of_client = Counter([flow.client])
        of_actor = Counter([flow])
        for each, line in lines.items():
            of_client[each.client] += len(line)
            of_actor[each] += len(line)
        # If lines are equally long, the newcomer has come too late.
        client = max(of_client, key=lambda each: (of_client[each], each == flow.client))
        longest = max(
            (each for each in of_actor if each.client == client), key=lambda each: (of_actor[each], each == flow)
        )
        return None if longest == flow else lines[longest][-1]

    def _tidy(self, flow: Flow) -> None:
        """Forgets flows without waiting requests."""
        actors = self._waiting[flow.client]
        if not actors[flow.actor]:
            del actors[flow.actor]
        if not actors:
            del self._waiting[flow.client]
