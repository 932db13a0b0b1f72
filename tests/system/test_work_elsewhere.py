"""Work that other processes do, as whoever gives it out sees it."""

from collections.abc import Iterator
from concurrent.futures import Future

from cropkit.system.elsewhere import in_order


def test_work_comes_in_its_order_and_no_more_of_it_is_taken_than_there_is_room_for() -> None:
    taken: list[int] = []
    room = [3]

    def work() -> Iterator[int]:
        for number in range(9):
            taken.append(number)
            yield number

    def submit(number: int) -> Future[int]:
        future: Future[int] = Future()
        future.set_result(10 * number)
        return future

    ended, ahead = [], []
    for number, future in in_order(work(), submit, lambda: room[0]):
        ended.append((number, future.result()))
        ahead.append(len(taken) - len(ended))
        if number == 3:
            room[0] = 1  # workers went
    assert ended == [(number, 10 * number) for number in range(9)]
    assert ahead == [2, 2, 2, 2, 1, 0, 0, 0, 0]
