"""The public structures of libjpeg, as jpeglib.h lays them out for its two living ABIs.

libjpeg-turbo builds either ABI 6.2 (Pillow's wheels, Debian) or ABI 8 (conda-forge, other wheels),
and keeps each of them fixed. The library compares the size of our structures with its own before
it does anything, and the self-test of the worker does the rest.
"""

import ctypes as c
from dataclasses import dataclass
from typing import Any, ClassVar

ABI_62, ABI_80 = 62, 80
BLOCK_BYTES = 128  # 64 coefficients of 16 bits

_POINTERS_OF_DECOMPRESSOR = 11
_POINTERS_OF_COMPRESSOR = 9
_Fields = list[tuple[str, Any]]

ErrorExit = c.CFUNCTYPE(None, c.c_void_p)
EmitMessage = c.CFUNCTYPE(None, c.c_void_p, c.c_int)
FormatMessage = c.CFUNCTYPE(None, c.c_void_p, c.c_void_p)
RequestBlocks = c.CFUNCTYPE(c.c_void_p, c.c_void_p, c.c_int, c.c_int, c.c_uint, c.c_uint, c.c_uint)
AccessBlocks = c.CFUNCTYPE(
    c.POINTER(c.c_void_p), c.c_void_p, c.c_void_p, c.c_uint, c.c_uint, c.c_int
)


class ErrorManager(c.Structure):
    """``struct jpeg_error_mgr``."""

    _fields_: ClassVar[_Fields] = [
        ("error_exit", ErrorExit),
        ("emit_message", EmitMessage),
        ("output_message", ErrorExit),
        ("format_message", FormatMessage),
        ("reset_error_mgr", c.c_void_p),
        ("msg_code", c.c_int),
        ("msg_parm", c.c_char * 80),
        ("trace_level", c.c_int),
        ("num_warnings", c.c_long),
        ("message_table", c.c_void_p),
        ("last_message", c.c_int),
        ("addon_message_table", c.c_void_p),
        ("first_addon_message", c.c_int),
        ("last_addon_message", c.c_int),
    ]


class MemoryManager(c.Structure):
    """``struct jpeg_memory_mgr``."""

    _fields_: ClassVar[_Fields] = [
        ("alloc_small", c.c_void_p),
        ("alloc_large", c.c_void_p),
        ("alloc_sarray", c.c_void_p),
        ("alloc_barray", c.c_void_p),
        ("request_virt_sarray", c.c_void_p),
        ("request_virt_barray", RequestBlocks),
        ("realize_virt_arrays", c.c_void_p),
        ("access_virt_sarray", c.c_void_p),
        ("access_virt_barray", AccessBlocks),
        ("free_pool", c.c_void_p),
        ("self_destruct", c.c_void_p),
        ("max_memory_to_use", c.c_long),
        ("max_alloc_chunk", c.c_long),
    ]


class QuantisationTable(c.Structure):
    """``JQUANT_TBL``: values in natural order."""

    _fields_: ClassVar[_Fields] = [("values", c.c_uint16 * 64), ("sent", c.c_int)]


class ScanInfo(c.Structure):
    """``jpeg_scan_info``: one line of a scan script."""

    _fields_: ClassVar[_Fields] = [
        ("components", c.c_int),
        ("component_index", c.c_int * 4),
        ("spectral_start", c.c_int),
        ("spectral_end", c.c_int),
        ("approximation_high", c.c_int),
        ("approximation_low", c.c_int),
    ]


@dataclass(frozen=True, slots=True)
class Abi:
    """The structures of one ABI."""

    version: int
    component: type[c.Structure]
    decompressor: type[c.Structure]
    compressor: type[c.Structure]


def _ints(*names: str) -> _Fields:
    return [(name, c.c_int) for name in names]


def _pointers(*names: str) -> _Fields:
    return [(name, c.c_void_p) for name in names]


def _structure(name: str, fields: _Fields) -> type[c.Structure]:
    return type(name, (c.Structure,), {"_fields_": fields})


def _component(*, since_70: bool) -> type[c.Structure]:
    scaled = ("DCT_h_scaled_size", "DCT_v_scaled_size") if since_70 else ("DCT_scaled_size",)
    return _structure(
        "jpeg_component_info",
        [
            *_ints("component_id", "component_index", "h_samp_factor", "v_samp_factor"),
            *_ints("quant_tbl_no", "dc_tbl_no", "ac_tbl_no"),
            *_ints("width_in_blocks", "height_in_blocks", *scaled),
            *_ints("downsampled_width", "downsampled_height", "component_needed"),
            *_ints("MCU_width", "MCU_height", "MCU_blocks", "MCU_sample_width"),
            *_ints("last_col_width", "last_row_height"),
            ("quant_table", c.POINTER(QuantisationTable)),
            *_pointers("dct_table"),
        ],
    )


def _tables(component: type[c.Structure]) -> _Fields:
    del component
    return [("dc_huff_tbl_ptrs", c.c_void_p * 4), ("ac_huff_tbl_ptrs", c.c_void_p * 4)]


_COMMON: _Fields = [
    ("err", c.POINTER(ErrorManager)),
    ("mem", c.POINTER(MemoryManager)),
    *_pointers("progress", "client_data"),
    *_ints("is_decompressor", "global_state"),
]
_ARITHMETIC: _Fields = [(name, c.c_uint8 * 16) for name in ("dc_L", "dc_U", "ac_K")]
_JFIF: _Fields = [
    *((name, c.c_uint8) for name in ("JFIF_major", "JFIF_minor", "density_unit")),
    ("X_density", c.c_uint16),
    ("Y_density", c.c_uint16),
]
_SCAN: _Fields = [
    ("blocks_in_MCU", c.c_int),
    ("MCU_membership", c.c_int * 10),
    *_ints("Ss", "Se", "Ah", "Al"),
]
_BLOCKS_80: _Fields = [*_ints("block_size"), *_pointers("natural_order"), *_ints("lim_Se")]


def _decompressor(component: type[c.Structure], *, v8: bool) -> type[c.Structure]:
    scaled = ("min_DCT_h_scaled_size", "min_DCT_v_scaled_size") if v8 else ("min_DCT_scaled_size",)
    return _structure(
        "jpeg_decompress_struct",
        [
            *_COMMON,
            *_pointers("src"),
            *_ints("image_width", "image_height", "num_components", "jpeg_color_space"),
            *_ints("out_color_space", "scale_num", "scale_denom"),
            ("output_gamma", c.c_double),
            *_ints("buffered_image", "raw_data_out", "dct_method", "do_fancy_upsampling"),
            *_ints("do_block_smoothing", "quantize_colors", "dither_mode", "two_pass_quantize"),
            *_ints("desired_number_of_colors", "enable_1pass_quant", "enable_external_quant"),
            *_ints("enable_2pass_quant", "output_width", "output_height"),
            *_ints("out_color_components", "output_components", "rec_outbuf_height"),
            *_ints("actual_number_of_colors"),
            *_pointers("colormap"),
            *_ints("output_scanline", "input_scan_number", "input_iMCU_row"),
            *_ints("output_scan_number", "output_iMCU_row"),
            *_pointers("coef_bits"),
            ("quant_tbl_ptrs", c.POINTER(QuantisationTable) * 4),
            *_tables(component),
            *_ints("data_precision"),
            ("comp_info", c.POINTER(component)),
            *_ints(*(("is_baseline",) if v8 else ()), "progressive_mode", "arith_code"),
            *_ARITHMETIC,
            *_ints("restart_interval", "saw_JFIF_marker"),
            *_JFIF,
            *_ints("saw_Adobe_marker"),
            ("Adobe_transform", c.c_uint8),
            *_ints("CCIR601_sampling"),
            *_pointers("marker_list"),
            *_ints("max_h_samp_factor", "max_v_samp_factor", *scaled, "total_iMCU_rows"),
            *_pointers("sample_range_limit"),
            *_ints("comps_in_scan"),
            ("cur_comp_info", c.c_void_p * 4),
            *_ints("MCUs_per_row", "MCU_rows_in_scan"),
            *_SCAN,
            *(_BLOCKS_80 if v8 else []),
            *_ints("unread_marker"),
            ("modules", c.c_void_p * _POINTERS_OF_DECOMPRESSOR),
        ],
    )


def _compressor(component: type[c.Structure], *, v8: bool) -> type[c.Structure]:
    scaled = ("min_DCT_h_scaled_size", "min_DCT_v_scaled_size") if v8 else ()
    return _structure(
        "jpeg_compress_struct",
        [
            *_COMMON,
            *_pointers("dest"),
            *_ints("image_width", "image_height", "input_components", "in_color_space"),
            ("input_gamma", c.c_double),
            *_ints(*(("scale_num", "scale_denom", "jpeg_width", "jpeg_height") if v8 else ())),
            *_ints("data_precision", "num_components", "jpeg_color_space"),
            ("comp_info", c.POINTER(component)),
            ("quant_tbl_ptrs", c.POINTER(QuantisationTable) * 4),
            *([("q_scale_factor", c.c_int * 4)] if v8 else []),
            *_tables(component),
            *_ARITHMETIC,
            *_ints("num_scans"),
            ("scan_info", c.POINTER(ScanInfo)),
            *_ints("raw_data_in", "arith_code", "optimize_coding", "CCIR601_sampling"),
            *_ints(*(("do_fancy_downsampling",) if v8 else ()), "smoothing_factor", "dct_method"),
            *_ints("restart_interval", "restart_in_rows", "write_JFIF_header"),
            *_JFIF,
            *_ints("write_Adobe_marker", "next_scanline", "progressive_mode"),
            *_ints("max_h_samp_factor", "max_v_samp_factor", *scaled, "total_iMCU_rows"),
            *_ints("comps_in_scan"),
            ("cur_comp_info", c.c_void_p * 4),
            *_ints("MCUs_per_row", "MCU_rows_in_scan"),
            *_SCAN,
            *(_BLOCKS_80 if v8 else []),
            ("modules", c.c_void_p * _POINTERS_OF_COMPRESSOR),
            *_pointers("script_space"),
            *_ints("script_space_size"),
        ],
    )


def _abi(version: int) -> Abi:
    v8 = version == ABI_80
    component = _component(since_70=v8)
    return Abi(version, component, _decompressor(component, v8=v8), _compressor(component, v8=v8))


ABIS = {version: _abi(version) for version in (ABI_62, ABI_80)}
