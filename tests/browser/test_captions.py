"""What a browser makes of the caption of an image, however little room that has."""

import pytest
from playwright.sync_api import Browser, Page

from cropkit.review.view.captions import NO_BOX, second_words
from cropkit.review.view.css import CSS
from cropkit.review.view.html import cut_inside

METER = "<span class='ck-meter'><span style='width:50%'></span></span>"
_SEEN = """([words, width]) => {
    const at = document.querySelector('.ck-words');
    at.style.width = `${width}px`;
    at.innerHTML = words;
    const seen = inner => {
        const own = inner.getBoundingClientRect();
        const frame = inner.parentElement.getBoundingClientRect();
        const tall = Math.min(own.bottom, frame.bottom) - Math.max(own.top, frame.top);
        return tall > 2 ? Math.min(own.right, frame.right) - own.left : 0;
    };
    const word = at.querySelector('.ck-second .ck-cut'), glance = at.querySelector('.ck-meter');
    const number = at.querySelector('.ck-sure > span + span');
    return {
        word: seen(word), whole: word.scrollWidth,
        size: parseFloat(getComputedStyle(word).fontSize),
        room: word.parentElement.getBoundingClientRect().width,
        number: seen(number), digits: number.scrollWidth, glance: seen(glance),
        ends: glance.getBoundingClientRect().right - at.getBoundingClientRect().right,
    };
}"""

_NAMED = """([words, width]) => {
    const at = document.querySelector('.ck-words');
    at.style.width = `${width}px`;
    at.innerHTML = words;
    const name = at.querySelector('.ck-first'), parts = [name, ...name.querySelectorAll('.ck-cut')];
    const word = at.querySelector('.ck-second .ck-cut'), frame = word.parentElement;
    const is_seen = word.getBoundingClientRect().top < frame.getBoundingClientRect().bottom - 2;
    return [name.textContent, parts.every(e => e.scrollWidth <= e.clientWidth + 1),
            is_seen ? frame.clientWidth : 0];
}"""


@pytest.fixture
def page(browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1400, "height": 200})
    page.set_content(
        f"{CSS}<div class='cropkit-review'><div class='cropkit-over'>"
        "<div class='widget-html-content'><div class='ck-at ck-words'></div></div></div></div>"
    )
    return page


@pytest.mark.parametrize("source", ["AI", "detector of subjects v12"])
@pytest.mark.parametrize("name", ["1.jpg", "a name that is longer than most of them are.jpg"])
def test_the_word_of_a_source_goes_before_it_is_cut_to_a_letter_and_the_glance_stays(
    page: Page, source: str, name: str
) -> None:
    caption = f"<span class='ck-name ck-first'><span class='ck-cut'>{name}</span></span>"
    caption += second_words(source, METER, " 0.91")
    seen = {width: page.evaluate(_SEEN, [caption, width]) for width in range(75, 700, 7)}
    for width, each in seen.items():
        least = min(each["whole"], 3.9 * each["size"])
        assert each["word"] == 0 or each["word"] >= least - 1, f"a piece of it, at {width}"
        assert each["number"] in (0, pytest.approx(each["digits"], abs=1)), f"cut at {width}"
        assert each["glance"] > 15
        assert each["number"] or each["room"] < 1, f"there is room for the number at {width}"
        assert each["ends"] <= 0.5, f"cut at {width}"
    assert seen[75]["word"] == seen[75]["number"] == 0
    assert seen[698]["word"] >= seen[698]["whole"] - 1, "all of it, where there is room"
    assert seen[698]["number"] > 15


@pytest.mark.parametrize(("width", "word_is_there"), [(110, False), (240, True)])
def test_a_name_is_whole_before_anything_is_said_of_a_box_that_is_not_there(
    page: Page,
    width: int,
    word_is_there: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    caption = f"<span class='ck-name ck-first'>{cut_inside('sea-0.jpg')}</span>"
    caption += second_words(NO_BOX[0], "", NO_BOX[1])
    name, is_whole, word = page.evaluate(_NAMED, [caption, width])
    assert name == "sea-0.jpg"
    assert is_whole
    assert (word > 0) is word_is_there
