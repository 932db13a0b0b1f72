from pathlib import Path

import pytest
import refresh_docs

from cropkit import errors
from cropkit.errors import Refused
from cropkit.formats import EXTENSIONS
from cropkit.formats.capabilities import CAPABILITIES, REFUSALS, REFUSED, page

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"


def test_the_page_is_made_from_the_code() -> None:
    shown = refresh_docs.block(PAGE.read_text(encoding="utf-8"), "capabilities")
    assert shown == "\n".join(page())


@pytest.mark.parametrize("refusal", REFUSALS)
def test_every_refusal_of_an_image_says_what_to_do(refusal: type[Refused]) -> None:
    assert refusal.cure
    assert f"| {refusal.cure}. |" in PAGE.read_text(encoding="utf-8")


def test_every_format_is_in_the_table() -> None:
    assert {c.format for c in CAPABILITIES} == set(EXTENSIONS.values())


@pytest.mark.parametrize("capability", [c for c in CAPABILITIES if c.outcome == REFUSED])
def test_every_refusal_names_its_error(capability: object) -> None:
    assert issubclass(getattr(errors, capability.how), Refused)  # type: ignore[attr-defined]
