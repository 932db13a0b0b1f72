"""The process that holds libjpeg: it proves itself, then answers one request after another.

libjpeg ends its process at an error that it cannot go on after; so does this one, after saying why.
"""

import os
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

from cropkit.bounds import Bounds, enforced
from cropkit.lossless import coefficients, evidence, specimen, wire
from cropkit.lossless.coefficients import Coding, Picture
from cropkit.lossless.library import Library
from cropkit.lossless.turned import TurnedPicture
from cropkit.lossless.windows import Box, Way, Window, windows

MOST_BYTES = 6 << 30  # of address space: about four times what the largest image needs
_ENDED = 3
_NO_MEMORY = "Insufficient memory"  # jerror.h, JERR_OUT_OF_MEMORY

Reply = tuple[Mapping[str, object], list[bytes]]


class LibjpegServer:
    """Answers requests with one library that crops and one that reads back.

    They are two builds by two people where the environment has two.
    """

    def __init__(self, writer: Path, reader: Path, out: BinaryIO) -> None:
        self._out = out
        self._writer = Library(writer, self._end)
        self._reader = Library(reader, self._end)

    def check(self) -> None:
        """End with a reason unless both libraries do with a specimen what is expected of them."""
        whole = specimen.jpeg()
        with coefficients.reading(self._writer, whole) as picture:
            self._hold(picture, (0, 0))
            cut = windows(picture.sampling, specimen.BOX, (False, False))
            cropped = coefficients.write(picture, specimen.BOX, cut, Coding(optimize=True))
        with coefficients.reading(self._reader, cropped) as picture:
            self._hold(picture, specimen.BOX[:2])

    def answer(self, request: Mapping[str, Any], data: bytes) -> Reply:
        """Carry out one request."""
        do = self._crop if request["do"] == "crop" else self._read
        with enforced(Bounds(*request.get("bounds", ()))):
            return do(request, data)

    def _crop(self, request: Mapping[str, Any], data: bytes) -> Reply:
        """Crop; tell of the source what was carried, and the edge before and after."""
        coding = Coding(request["optimize"], tuple(tuple(each) for each in request["scans"]))
        with coefficients.reading(self._writer, data) as picture:
            box, way = request["box"], tuple(request.get("way", ()))
            if any(way):
                return self._turn(picture, box, request["beyond"], (way, coding))
            cut = windows(picture.sampling, box, request["beyond"])
            description, edge = _described(picture, cut)
            encoded = coefficients.write(picture, box, cut, coding)
        return description, [encoded, *edge]

    def _turn(
        self, source: Picture, box: Box, beyond: tuple[bool, bool], how: tuple[Way, Coding]
    ) -> Reply:
        """Crop and turn; tell of what was turned, as it is carried, and its edge.

        Parameters
        ----------
        beyond : whether the scene goes on to the right of what is turned, and below it
        """
        way, coding = how
        plain = windows(source.sampling, box, (False, False))
        picture = TurnedPicture(source, box, plain, way)
        cut = windows(picture.sampling, (0, 0, picture.width, picture.height), beyond)
        description, edge = _described(picture, cut)
        return description, [coefficients.write_turned(picture, coding), *edge]

    def _read(self, request: Mapping[str, Any], data: bytes) -> Reply:
        """Read a crop back; tell of it what `_crop` told of its source."""
        with coefficients.reading(self._reader, data) as picture:
            whole = (0, 0, picture.width, picture.height)
            cut = windows(picture.sampling, whole, request["beyond"])
            description = evidence.described(picture, cut)
            return {**description, "clean": evidence.is_clean(picture)}, [
                evidence.edge(picture, cut)
            ]

    def _hold(self, picture: Picture, corner: tuple[int, int]) -> None:
        """End unless every coefficient of the specimen is what it should be."""
        for i, component in enumerate(picture.components):
            step = 8 if component.h > 1 else 16
            left, top = corner[0] // step, corner[1] // step
            for row in range(component.rows):
                read = np.frombuffer(picture.blocks(i, row, 0, component.columns), np.int16)
                meant = np.zeros((component.columns, 64), np.int16)
                for column in range(component.columns):
                    known = specimen.values(i, top + row, left + column)
                    meant[column, specimen.PLACES] = known
                if not np.array_equal(read, meant.reshape(-1)):
                    self._end(f"{picture.library.path.name} does not pass its self-test")

    def _end(self, reason: str) -> NoReturn:
        memory = reason.startswith(_NO_MEMORY)
        wire.send(self._out, {"fatal": reason, "memory": memory, "bound": memory and _at_bound()})
        os._exit(_ENDED)


def _described(picture: Picture, cut: Sequence[Window]) -> tuple[Mapping[str, object], list[bytes]]:
    """Tell of what is carried, and of the edge, which is made anew, before and after."""
    description = evidence.described(picture, cut)
    before = evidence.edge(picture, cut)
    evidence.renew_edge(picture, cut)
    return description, [before, evidence.edge(picture, cut)]


def main(writer: str, reader: str) -> None:
    """Serve until the other side closes its end."""
    _limit_memory()
    here, there = sys.stdin.buffer, sys.stdout.buffer
    worker = LibjpegServer(Path(writer), Path(reader), there)
    worker.check()
    wire.send(there, {"ready": [writer, reader]})
    while (message := wire.receive(here)) is not None:
        request, blobs = message
        try:
            reply, answers = worker.answer(request, blobs[0])
        except MemoryError:
            words = {"fatal": "it needs more memory than there is", "memory": True}
            reply, answers = {**words, "bound": _at_bound()}, []
        wire.send(there, reply, *answers)


def _at_bound() -> bool:
    """Whether the bound for one file is what memory was short of, and no limit from outside."""
    return resource.getrlimit(resource.RLIMIT_AS)[0] == MOST_BYTES


def _limit_memory() -> None:
    """Bound the address space."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MOST_BYTES if hard == resource.RLIM_INFINITY else min(MOST_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
