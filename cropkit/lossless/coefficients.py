"""Quantised DCT coefficients of a JPEG: read whole, and a window of them written again."""

import ctypes as c
import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cropkit.lossless.abi import BLOCK_BYTES, ScanInfo
from cropkit.lossless.library import Library
from cropkit.lossless.windows import Box, Window

_ROOM = 1 << 16
_POOL_OF_IMAGE = 1  # JPOOL_IMAGE: libjpeg frees it with the image


@dataclass(frozen=True, slots=True)
class Component:
    """A component as it is coded: sampling, size in blocks, and quantisation table."""

    h: int
    v: int
    columns: int
    rows: int
    table: tuple[int, ...]


class Picture:
    """A JPEG whose coefficients are in memory, block row by block row."""

    def __init__(self, library: Library, info: Any, coded_bytes: int) -> None:  # noqa: ANN401  (a structure that the ABI chooses)
        self.library = library
        self.coded_bytes = coded_bytes
        self.info = info
        self.arrays = library.calls.jpeg_read_coefficients(c.byref(info))
        self.width, self.height = int(info.image_width), int(info.image_height)
        structures = [info.comp_info[i] for i in range(info.num_components)]
        if not all(each.quant_table for each in structures):
            library.fail("a component of the image is in none of its scans")
        self.components = [_component(each) for each in structures]
        self.rows = [self._row_pointers(i, each) for i, each in enumerate(self.components)]

    @property
    def sampling(self) -> list[tuple[int, int]]:
        """Sampling factors of the components."""
        return [(each.h, each.v) for each in self.components]

    @property
    def progressive(self) -> bool:
        """Whether its scans refine the image."""
        return bool(self.info.progressive_mode)

    @property
    def restart_interval(self) -> int:
        """MCUs between restart markers, 0 for none."""
        return int(self.info.restart_interval)

    @property
    def warnings(self) -> int:
        """How often libjpeg had to make do."""
        return int(self.info.err.contents.num_warnings)

    def blocks(self, component: int, row: int, first: int, last: int) -> memoryview:
        """Return the coefficients of the blocks first..last of a block row, as bytes to edit."""
        start = self.rows[component][row] + first * BLOCK_BYTES
        return memoryview((c.c_char * ((last - first) * BLOCK_BYTES)).from_address(start)).cast("B")

    def _row_pointers(self, index: int, component: Component) -> Any:  # noqa: ANN401  (a ctypes array)
        """Return libjpeg's own table of pointers to the block rows of a component.

        Asking for every row also zeroes those that the file left out.
        """
        access = self.info.mem.contents.access_virt_barray
        step = component.v
        height = -(-component.rows // step) * step
        array = self.arrays[index]
        tables = [
            access(c.addressof(self.info), array, row, step, 1) for row in range(0, height, step)
        ]
        first = c.addressof(tables[0].contents)
        last = c.addressof(tables[-1].contents)
        if last - first != (height - step) * c.sizeof(c.c_void_p):
            raise MemoryError
        return (c.c_size_t * height).from_address(first)


def _component(structure: Any) -> Component:  # noqa: ANN401  (as above)
    return Component(
        structure.h_samp_factor,
        structure.v_samp_factor,
        structure.width_in_blocks,
        structure.height_in_blocks,
        tuple(structure.quant_table.contents.values),
    )


@contextmanager
def reading(library: Library, data: bytes) -> Iterator[Picture]:
    """Read all coefficients of a JPEG; they are gone at the end of the block."""
    info = library.decompressor()
    calls, this = library.calls, c.byref(info)
    try:
        calls.jpeg_mem_src(this, data, len(data))
        calls.jpeg_read_header(this, 1)
        yield Picture(library, info, len(data))
    finally:
        calls.jpeg_destroy_decompress(this)


@dataclass(frozen=True, slots=True)
class Coding:
    """How coefficients are coded anew: with codes made to measure, and in which scans."""

    optimize: bool
    scans: tuple[tuple[int, ...], ...] = ()


def write(picture: Picture, box: Box, windows: Sequence[Window], coding: Coding) -> bytes:
    """Write the window as a JPEG without metadata, and leave the picture unusable.

    No coefficient moves: the rows that libjpeg takes for the image's are pointed into the window.
    """
    for pointers, window in zip(picture.rows, windows, strict=True):
        for row in range(window.rows):
            pointers[row] = pointers[window.top + row] + window.left * BLOCK_BYTES
    return _coded(picture, box, coding, lambda _info: picture.arrays)


def write_turned(picture: Picture, coding: Coding) -> bytes:
    """Write a picture that was turned, as `write` does; its source stays as it was read."""
    box = (0, 0, picture.width, picture.height)
    return _coded(picture, box, coding, lambda info: _arrays(picture, info))


def _coded(picture: Picture, box: Box, coding: Coding, arrays: Callable[[Any], Any]) -> bytes:
    library = picture.library
    info = library.compressor()
    calls, this = library.calls, c.byref(info)
    out = mmap.mmap(-1, 2 * picture.coded_bytes + _ROOM)
    start = c.addressof(c.c_char.from_buffer(out))
    place, size = c.c_void_p(start), c.c_ulong(len(out))
    try:
        calls.jpeg_mem_dest(this, c.byref(place), c.byref(size))
        calls.jpeg_copy_critical_parameters(c.byref(picture.info), this)
        _configure(picture, info, box, coding)
        held = arrays(info)  # libjpeg reads of it until it has finished
        calls.jpeg_write_coefficients(this, held)
        calls.jpeg_finish_compress(this)
        return c.string_at(place.value or 0, size.value)
    finally:
        calls.jpeg_destroy_compress(this)


def _arrays(picture: Picture, info: Any) -> Any:  # noqa: ANN401  (ctypes')
    """Give a compressor coefficients of its own, and what is said of them (as jpegtran does)."""
    memory, this = info.mem.contents, c.addressof(info)
    for index, component in enumerate(picture.components):
        structure = info.comp_info[index]
        structure.h_samp_factor, structure.v_samp_factor = component.h, component.v
        table = info.quant_tbl_ptrs[structure.quant_tbl_no].contents
        table.values = type(table.values)(*component.table)
    pointers = [
        memory.request_virt_barray(
            this, _POOL_OF_IMAGE, 1, _up_to(each.columns, each.h), _up_to(each.rows, each.v), each.v
        )
        for each in picture.components
    ]
    c.CFUNCTYPE(None, c.c_void_p)(memory.realize_virt_arrays)(this)
    for index, array in enumerate(pointers):
        columns = picture.components[index].columns
        for row in range(picture.components[index].rows):
            place = memory.access_virt_barray(this, array, row, 1, 1)[0]
            c.memmove(place, bytes(picture.blocks(index, row, 0, columns)), columns * BLOCK_BYTES)
    return (c.c_void_p * len(pointers))(*pointers)


def _up_to(number: int, step: int) -> int:
    return -(-number // step) * step


def _configure(picture: Picture, info: Any, box: Box, coding: Coding) -> None:  # noqa: ANN401  (as above)
    info.image_width, info.image_height = box[2] - box[0], box[3] - box[1]
    if hasattr(info, "jpeg_width"):
        info.jpeg_width, info.jpeg_height = info.image_width, info.image_height
    info.restart_interval = picture.restart_interval
    info.optimize_coding = int(coding.optimize)
    if coding.scans:
        script = (ScanInfo * len(coding.scans))(*(_scan(each) for each in coding.scans))
        info.scan_info, info.num_scans = script, len(script)
    elif picture.progressive:
        picture.library.calls.jpeg_simple_progression(c.byref(info))


def _scan(numbers: tuple[int, ...]) -> ScanInfo:
    *indices, start, end, high, low = numbers
    padded = (*indices, 0, 0, 0, 0)[:4]
    return ScanInfo(len(indices), padded, start, end, high, low)
