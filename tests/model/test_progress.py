import pytest

from napari_lle.model.progress import Progress, Steps, finish


def counted(replies, closed=None):
    try:
        for i in range(3):
            replies.append((yield Progress(i, 3)))
        return "done"
    finally:
        if closed is not None:
            closed.append(True)


def test_the_answer_is_there_after_the_loop():
    steps = Steps(counted([]))
    assert [step.done for step in steps] == [0, 1, 2] and steps.answer == "done"
    assert finish(counted([])) == "done"


def test_a_reply_is_sent_once_and_for_the_step_at_hand():
    replies = []
    steps = Steps(counted(replies))
    for step in steps:
        if step.done == 1:
            steps.reply = "stop"
    assert replies == [None, "stop", None]


def test_leaving_the_loop_closes_the_generator():
    closed = []
    told = iter(Steps(counted([], closed)))
    next(told)
    told.close()
    assert closed == [True]


def test_what_goes_wrong_is_passed_on():
    def failing():
        yield Progress(0, 1)
        raise ValueError("it broke")

    with pytest.raises(ValueError, match="it broke"):
        finish(failing())
