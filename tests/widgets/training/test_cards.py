import numpy as np
import pytest
from qtpy.QtGui import QImage

from napari_lle.widgets.training.cards import (
    CARD_MARGIN,
    FINDING_COLOURS,
    THUMBNAIL_SIDE,
    Card,
    Cards,
)
from napari_lle.widgets.training.thumbnails import thumbnail

RED, BLUE = (np.full((40, 60, 3), c, np.uint8) for c in ((255, 0, 0), (0, 0, 255)))


@pytest.fixture
def cards(qtbot):
    made = Cards()
    qtbot.addWidget(made.widget.native)
    made.widget.native.resize(280, 360)
    made.widget.native.show()
    return made


def painted(cards):
    """What is on the screen, (Y, X, 3)."""
    image = (
        cards.widget.native.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    )
    rows = np.frombuffer(image.constBits().asstring(image.sizeInBytes()), np.uint8)
    rows = rows.reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)


def count(picture, colour):
    """Pixels of a colour; some screens have few bits for each."""
    return int((np.abs(picture.astype(int) - colour) <= 8).all(axis=-1).sum())


def rgb(name):
    return [int(name[i : i + 2], 16) for i in (1, 3, 5)]


def test_pictures_and_the_colour_of_the_verdict_are_painted(cards):
    cards.show([Card("night", ("40 x 60 pixels",), "All is well.", "good", (RED, BLUE))])
    seen = painted(cards)
    assert count(seen, (255, 0, 0)) == count(seen, (0, 0, 255)) == 40 * 60
    assert count(seen, rgb(FINDING_COLOURS["good"])) > 100
    cards.show([Card("night", (), "They differ in size.", "wrong")])
    seen = painted(cards)
    assert not count(seen, (255, 0, 0)) and count(seen, rgb(FINDING_COLOURS["wrong"])) > 50


def test_captions_of_pictures_of_two_heights_are_on_one_line(cards):
    low = np.full((30, 60, 3), (255, 0, 0), np.uint8)
    cards.show([Card("night", (), "good", "good", (low, BLUE))])
    seen = painted(cards)
    below_low = seen[CARD_MARGIN + 31 : CARD_MARGIN + 40, 2 * CARD_MARGIN : 2 * CARD_MARGIN + 60]
    assert np.ptp(below_low.reshape(-1, 3), axis=0).max() == 0  # no word yet, beside the higher one


def test_a_card_is_as_high_as_its_words_need(cards):
    view = cards.widget.native

    def height(card):
        cards.show([card])
        return view.visualItemRect(view.item(0)).height()

    plain = height(Card("night", (), "good"))
    line = view.fontMetrics().lineSpacing()
    assert height(Card("night", (), "They differ in size, " * 20)) > plain + 5 * line
    assert plain + 40 < height(Card("night", (), "good", "good", (RED,))) < plain + 40 + 3 * line


def test_a_card_is_chosen_and_kept_when_others_come(cards):
    some = [Card(name, (), "good") for name in "abc"]
    cards.show(some)
    cards.choose(1)
    cards.show([*some, Card("d", (), "good")])
    assert cards.chosen == 1
    cards.show(some[:1])
    assert cards.chosen == 0


def test_thumbnails_are_small_and_between_their_own_levels():
    ramp = np.linspace(500, 900, 300 * 200).reshape(300, 200).astype(np.uint16)
    small = thumbnail(np.stack([ramp * 0, ramp, ramp * 0]), rgb=False)
    assert (
        small.shape == (60, 40, 3)
        and small.dtype == np.uint8
        and max(small.shape) <= THUMBNAIL_SIDE
    )
    assert small.min() == 0 and small.max() > 240
    photograph = np.full((50, 60, 4), 100, np.uint8)
    assert (thumbnail(photograph, rgb=True) == 100).all()
    holes = np.where(np.eye(50, dtype=bool), np.nan, ramp[:50, :50])
    assert thumbnail(holes, rgb=False)[3, 3].max() == 0
