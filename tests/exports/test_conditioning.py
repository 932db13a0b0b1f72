"""What SDXL is told of a crop."""

import strategies
from hypothesis import given

from cropkit.geometry import PixelBox, Size
from cropkit.targets import conditioning


@given(case=strategies.sizes_with_boxes())
def test_a_crop_that_is_not_resampled_begins_where_its_box_does(
    case: tuple[Size, PixelBox],
) -> None:
    size, box = case
    told = conditioning(size, box, box.size)
    assert told.original_size == (size.height, size.width)
    assert told.crop_top_left == (box.top, box.left)
    assert told.target_size == (box.size.height, box.size.width)
