"""A description of a set of crops by Croissant, with the hash of each.

Source: Croissant Format Specification 1.0 (docs.mlcommons.org/croissant): "Appendix 1: JSON-LD
context", "FileObject" (`contentUrl`, `encodingFormat`, `sha256`), "RecordSet" and "Field", "Inline
data". A relative `contentUrl` is a path from the folder of this file, as mlcroissant reads it. What
only a person knows (licence, creator, address, date) is not in it.
"""

from collections.abc import Iterator, Mapping
from mimetypes import guess_type
from typing import IO, Any

from cropkit.exports.crops import Crop, each_beneath
from cropkit.exports.files import as_json, write_list
from cropkit.exports.registry import Writer
from cropkit.exports.rows import Crops

_TERMS = {
    **{
        name: f"cr:{name}"
        for name in (
            *("citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty"),
            *("fileObject", "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key"),
            *("md5", "parentField", "path", "recordSet", "references", "regex", "repeated"),
            *("replace", "samplingRate", "separator", "source", "subField", "transform"),
        )
    },
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **_TERMS,
}
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
# Of every record, by name: its type, and whether it is a list.
FIELDS: Mapping[str, tuple[str, bool]] = {
    "file": ("sc:Text", False),
    "sha256": ("sc:Text", False),
    "source": ("sc:Text", False),
    "source_sha256": ("sc:Text", False),
    "box": ("sc:Integer", True),
    "slot": ("sc:Text", False),
    "target": ("sc:Text", False),
    "original_size": ("sc:Integer", True),
    "crop_top_left": ("sc:Integer", True),
    "target_size": ("sc:Integer", True),
    "text": ("sc:Text", False),
    "turn": ("sc:Text", False),
}


def _write(file: IO[str], rows: Crops) -> None:
    about = {
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": rows.place.root.name or "crops",
        "description": f"Crops of the images of {rows.place.root.name}, decided in cropkit.",
    }
    file.write(f'{{"@context": {as_json(CONTEXT)},\n{as_json(about)[1:-1]},\n"distribution": ')
    write_list(file, (_file_object(name, crop) for name, crop in each_beneath(rows)))
    file.write(f',\n"recordSet": [{{{as_json(_record_set())[1:-1]},\n"data": ')
    write_list(file, (_record(name, crop) for name, crop in each_beneath(rows)))
    file.write("}]}\n")


def _file_object(name: str, crop: Crop) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": f"crop-{crop.row['operation']}",
        "name": name,
        "contentUrl": name,
        "encodingFormat": guess_type(name)[0] or "application/octet-stream",
        "sha256": crop.row["crop_sha256"],
    }


def _record_set() -> dict[str, Any]:
    return {"@type": "cr:RecordSet", "@id": "crops", "name": "crops", "field": list(_fields())}


def _fields() -> Iterator[dict[str, Any]]:
    for name, (kind, is_list) in FIELDS.items():
        field = {"@type": "cr:Field", "@id": f"crops/{name}", "name": name, "dataType": kind}
        yield field | ({"repeated": True} if is_list else {})


def _record(name: str, crop: Crop) -> dict[str, Any]:
    row = crop.row
    told = ([], [], []) if crop.told is None else map(list, crop.told)
    hashes = (row["crop_sha256"], row["source"], row["source_sha256"])
    plain = (row["box_applied"], row["slot"] or "", row["target"] or "")
    values = (name, *hashes, *plain, *told, crop.text, row["turn"] or "")
    return {f"crops/{field}": value for field, value in zip(FIELDS, values, strict=True)}


WRITER = Writer(_write, (".json", ".jsonld"), of="crops", takes=frozenset(("slot",)))
