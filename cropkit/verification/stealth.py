"""Generation data in the lowest bits of a PNG's alpha, which a crop writes anew at its own corner.

"Stealth PNG info": 15 bytes of signature, 32 bits that count those of a text, and the text, column
by column from the top left of what is stored, most significant bit first.
"""

import numpy as np
import numpy.typing as npt

from cropkit.verification.decoding import Samples

_SIGNATURES = (b"stealth_pnginfo", b"stealth_pngcomp")
_SIGNATURE = 8 * len(_SIGNATURES[0])
_HEAD = _SIGNATURE + 32


def hidden(stored: Samples) -> npt.NDArray[np.uint8] | None:
    """Return the bits, each a byte of 0 or 1, that stored RGBA hides; None where there are none."""
    bits = (_columns(stored) & 1).astype(np.uint8)
    if np.packbits(bits[:_SIGNATURE]).tobytes() not in _SIGNATURES:
        return None
    count = _HEAD + int.from_bytes(np.packbits(bits[_SIGNATURE:_HEAD]).tobytes())
    return bits[:count] if count <= bits.size else None


def with_bits(stored: Samples, bits: npt.NDArray[np.uint8]) -> Samples | None:
    """Return stored RGBA with the bits in its alpha; None where it has no room for them."""
    columns = _columns(stored)
    if bits.size > columns.size:
        return None
    columns[: bits.size] = columns[: bits.size] & 0xFE | bits
    after = stored.copy()
    after[..., 3] = columns.reshape(stored.shape[1], stored.shape[0]).T
    return after


def _columns(stored: Samples) -> npt.NDArray[np.uint8]:
    columns: npt.NDArray[np.uint8] = stored[..., 3].T.reshape(-1).copy()
    return columns
