from collections.abc import Callable

from deploy.local.keeper import Keeper
from deploy.local.part import Part

MakePart = Callable[..., Part]
Eventually = Callable[[Callable[[], object]], None]


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_a_part_that_died_is_started_again_after_a_pause(make_part: MakePart) -> None:
    part = make_part("print('out of memory', flush=True); ready.touch(); time.sleep(600)")
    part.start()
    part.wait_until_ready()
    clock = Clock(part.started_at)
    keeper = Keeper([part], clock)
    assert list(keeper.tend()) == []

    part.kill()
    (said,) = keeper.tend()
    assert "standin was ended by SIGKILL" in said
    assert "out of memory" in said
    assert "Starting it again in 1 s" in said
    assert list(keeper.tend()) == []

    clock.now += 1
    assert list(keeper.tend()) == ["standin is running again."]
    assert part.running


def test_pauses_grow_while_a_part_keeps_dying_and_are_short_again_once_it_ran_a_while(
    make_part: MakePart, eventually: Eventually
) -> None:
    part = make_part("sys.exit(1)")
    part.start()
    clock = Clock(part.started_at)
    keeper = Keeper([part], clock)

    def pause() -> str:
        eventually(lambda: not part.running)
        (said,) = keeper.tend()
        clock.now += 30
        part.started_at = clock.now
        assert list(keeper.tend()) == ["standin is running again."]
        part.started_at = clock.now
        return said.rsplit("in ", 1)[1]

    assert [pause() for _ in range(7)] == ["1 s.", "2 s.", "4 s.", "8 s.", "16 s.", "30 s.", "30 s."]
    clock.now += 61
    assert pause() == "1 s."


def test_a_part_that_was_stopped_on_purpose_stays_stopped(make_part: MakePart) -> None:
    part = make_part("time.sleep(600)")
    part.start()
    clock = Clock(part.started_at)
    keeper = Keeper([part], clock)

    part.kill()
    assert len(list(keeper.tend())) == 1
    part.stop()
    clock.now += 60

    assert list(keeper.tend()) == []
    assert not part.running
