import os
import threading
import time

import pytest
import torch

from napari_lle.model.runtime.threads import in_order


@pytest.fixture(autouse=True)
def three():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_answers_come_in_the_order_of_the_parts():
    def slow(n):
        time.sleep(0.02 * (5 - n))
        return n, threading.current_thread().name

    answers = list(in_order(slow, range(5)))
    assert [n for n, _ in answers] == list(range(5))
    assert len({name for _, name in answers}) == 3


def test_work_within_work_does_not_wait_for_itself():
    def outer(n):
        return sum(in_order(lambda m: n * m, range(4)))

    assert list(in_order(outer, range(6))) == [6 * n for n in range(6)]


def test_closing_leaves_out_what_has_not_begun_and_waits_for_the_rest():
    begun, ended = [], []

    def work(n):
        begun.append(n)
        time.sleep(0.05)
        ended.append(n)

    steps = in_order(work, range(100))
    next(steps)
    steps.close()
    assert sorted(begun) == sorted(ended) and len(begun) < 20


def test_an_error_arrives_and_ends_it():
    def work(n):
        if n == 1:
            raise ValueError("of part 1")
        return n

    steps = in_order(work, range(4))
    assert next(steps) == 0
    with pytest.raises(ValueError, match="of part 1"):
        next(steps)
    assert list(in_order(work, [5, 6])) == [5, 6]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    assert list(in_order(abs, [-1, -2, -3])) == [1, 2, 3]
    child = os.fork()
    if child == 0:
        os._exit(0 if list(in_order(abs, [-1, -2, -3])) == [1, 2, 3] else 1)
    deadline = time.monotonic() + 120
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.01)
    if ended == (0, 0):
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert ended == (child, 0)
