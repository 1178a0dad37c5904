"""`make down`: stops the deployment of a folder from outside, and ends what a killed one left behind."""

import signal
import time
from pathlib import Path

from deploy.local.folders import Folders
from deploy.local.guardian import end_leftovers
from deploy.local.hold import HeldError, Hold
from deploy.local.up import say

_GRACE_S = 60.0
"""Seconds for the supervisor to stop its parts: up to ten for each of four stages, and as many for Envoy's drain."""

_LEFTOVER_GRACE_S = 5.0
_POLL_S = 0.05


def down(root: Path) -> int:
    """Stops whatever runs from `root`.

    Returns:
        The exit status.
    """
    folders = Folders(root.resolve())
    if not folders.run.is_dir():
        say("Nothing is running.")
        return 0
    hold = Hold(folders.run)
    supervised = _end_supervisor(hold)
    try:
        names = end_leftovers(folders.run, _LEFTOVER_GRACE_S)
        folders.remove_sockets()
    finally:
        hold.release()
    if names:
        say(f"Ended what was left running: {', '.join(names)}.")
    say("Stopped." if supervised or names else "Nothing is running.")
    return 0


def _end_supervisor(hold: Hold) -> bool:
    """Ends the supervisor, if there is one, and takes its place.

    Returns:
        Whether there was one.
    """
    deadline = time.monotonic() + _GRACE_S
    asked = False
    while True:
        try:
            hold.take()
        except HeldError:
            owner = hold.owner
            if owner and not asked:
                owner.send(signal.SIGTERM)
                asked = True
            elif owner and time.monotonic() > deadline:
                owner.send(signal.SIGKILL)
            time.sleep(_POLL_S)
        else:
            return asked
