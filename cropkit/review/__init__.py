"""The review widget: `Review` shows pages of crop boxes on an ipycanvas and takes decisions.

Floors, from below: `viewport`, `layout`, `sight` and `keys`, `messages`, `rhythm` (pure); `slots`
and `surface` (the only places with ipycanvas); `faces`, `paint` and `markup` draw a session;
`previews` reads ahead; `details` and `pages` bring a page to the screen; `worker` carries decisions
out; `desk` makes moves, `hands` and `eyes` turn keys and mouse into them; `widget` is what a
notebook sees.
"""

from cropkit.review.keys.keymap import keys_markdown
from cropkit.review.widget import Review

__all__ = ["Review", "keys_markdown"]
