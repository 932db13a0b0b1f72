"""The review widget: `Review` shows pages of crop boxes on an ipycanvas and takes decisions.

Floors, from below: `layout` and `keys`, `messages`, `rhythm` (pure); `surface` (the only place
with ipycanvas); `paint` and `markup` draw a session; `previews` reads ahead; `pages` brings a page
to the screen; `worker` carries decisions out; `desk` makes moves, `hands` turns keys and mouse
into them; `widget` is what a notebook sees.
"""

from cropkit.review.keys import keys_markdown
from cropkit.review.widget import Review

__all__ = ["Review", "keys_markdown"]
