"""`import` and `suggest`: boxes of other tools, and of a model, for a collection to keep."""

import argparse
import sys
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.cli import learning
from cropkit.cli.executor import add_executor, reach
from cropkit.cli.shell import (
    DONE,
    FAILED,
    USAGE,
    Commands,
    document,
    folder_command,
    opened,
    opened_existing,
    progress_bar,
    reading,
    say,
    tell,
)
from cropkit.errors import NoCollection
from cropkit.system.scope import scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cropkit.labels.elsewhere import AskedElsewhere, Recipe
    from cropkit.labels.importing import Import
    from cropkit.labels.store import Source
    from cropkit.records import Problem
    from cropkit.suggest.detections import Detections

_ORDERS, _UNITS, _FRAMES = (
    ("xyxy", "xywh", "cxcywh"),
    ("pixels", "normalized", "percent"),
    ("upright", "stored"),
)
_FORMATS = (
    *("coco", "coco-results", "label-studio", "labelme", "google", "azure", "rekognition"),
    *("iiif", "via", "json", "voc", "cvat", "xmp", "yolo", "csv", "jsonl", "parquet"),
)


def add(commands: Commands) -> None:
    """Describe the commands."""
    _add_import(commands)
    _add_suggest(commands)


def _add_import(commands: Commands) -> None:
    text = "keep the boxes that another tool wrote, for reviews and batches to propose"
    parser = folder_command(commands, "import", text, _import)
    text = "a file of boxes, or a folder of such files; its format is found by its content"
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help=text)
    text = f"instead of what is found: {', '.join(_FORMATS)}, or that of a plug-in"
    parser.add_argument("--format", default="", metavar="NAME", help=text)
    add_convention(parser)
    text = "COCO file whose images COCO results are of"
    parser.add_argument("--images", type=Path, metavar="FILE", help=text)
    add_around(parser)
    text = "what they are called in the review; another import of that name replaces them"
    parser.add_argument("--name", help=text)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--list", action="store_true", help="print what was imported")
    either.add_argument("--remove", metavar="NAME", help="forget what was imported under a name")


def add_convention(parser: argparse.ArgumentParser) -> None:
    """Give a command what declares the meaning of four numbers."""
    text = "of four numbers whose names do not tell"
    parser.add_argument("--order", choices=_ORDERS, help=text)
    parser.add_argument("--units", choices=_UNITS, help="of the same")
    text = "before or after EXIF orientation, where the file's image sizes do not tell"
    parser.add_argument("--frame", choices=_FRAMES, help=text)
    text = "boxes that reach outside, by at most 5 %% of the side"
    parser.add_argument("--outside", choices=("clip", "refuse"), default="clip", help=text)


def add_around(parser: argparse.ArgumentParser) -> None:
    """Give a command the rule that makes crops of subjects."""
    text = (
        "the boxes are subjects: put crops around them, as 'margin=0.15 aspect=4:5', or by the "
        "name of a rule of `settings`"
    )
    parser.add_argument("--around", metavar="RULE|NAME", help=text)


def _add_suggest(commands: Commands) -> None:
    text = "keep a model's boxes for all undecided images, or tell how good boxes are"
    parser = folder_command(commands, "suggest", text, _suggest)
    text = "what is called with each image, upright, RGB, or with its path"
    parser.add_argument("--with", dest="model", metavar="MODULE:FUNCTION|PLUG-IN", help=text)
    text = "a model that proposes boxes (docs/suggestions.md; the extra vision)"
    parser.add_argument("--model", dest="onnx", type=Path, metavar="FILE.onnx", help=text)
    learning.add(parser)
    text = "what a call gets, one or a list (by default as it is annotated, else an image)"
    wants = ("image", "path", "images", "paths")
    parser.add_argument("--wants", choices=wants, help=text)
    add_convention(parser)
    add_around(parser)
    parser.add_argument("--name", help="of the model, as the review shows it")
    parser.add_argument("--version", default="", help="of the model")
    add_executor(parser)
    text = "also images that were decided about"
    parser.add_argument("--decided", action="store_true", help=text)


def _check_rule(arguments: argparse.Namespace) -> None:
    """Refuse a rule that is none before a state is made."""
    if arguments.around is None:
        return
    from cropkit.engine.ways import AROUND_NAMED  # noqa: PLC0415  (not for `--help`)
    from cropkit.labels import framing_rule  # noqa: PLC0415  (as above)

    try:
        with reading(arguments.folder, arguments.state) as trail:
            kept = trail.settings().get(AROUND_NAMED, "")
    except NoCollection:
        kept = ""
    framing_rule.chosen(arguments.around, framing_rule.named_rules(kept)[0])


def _import(arguments: argparse.Namespace) -> int:
    if arguments.list:
        return _list(arguments)
    if arguments.remove is not None:
        return _remove(arguments)
    if arguments.file is None:
        say("import needs a FILE (or `--list`, `--remove NAME`)")
        return USAGE
    from cropkit.labels.labelled import Labelled  # noqa: PLC0415  (parsers: not for `--help`)

    _check_rule(arguments)
    labels = Labelled(
        arguments.file,
        order=arguments.order,
        units=arguments.units,
        frame=arguments.frame,
        outside=arguments.outside,
        format=arguments.format,
        images=arguments.images,
    )
    with (
        opened(arguments.folder, state=arguments.state) as collection,
        progress_bar() as show,
    ):
        result = collection.import_labels(
            labels, name=arguments.name, around=arguments.around, progress=show
        )
    return _tell(arguments, result)


def _suggest(arguments: argparse.Namespace) -> int:
    if arguments.executor and (arguments.model is None or arguments.evaluate):
        say("suggest --executor goes with `--with` alone")
        return USAGE
    named = [each for each in (arguments.model, arguments.onnx, arguments.head) if each is not None]
    if arguments.evaluate or arguments.train_head:
        if arguments.model is not None or len(named) > arguments.evaluate:
            say("suggest --evaluate takes one of `--model` and `--head`, --train-head none of them")
            return USAGE
        return learning.run(arguments)
    if len(named) != 1:
        say("suggest needs one of `--with`, `--model`, `--head`, `--evaluate` and `--train-head`")
        return USAGE
    _check_rule(arguments)
    with (
        _asked(arguments) as model,
        opened(arguments.folder, state=arguments.state) as collection,
        progress_bar() as show,
        redirect_stdout(sys.stderr),  # what a model prints is no answer of this command
    ):
        result = collection.suggest_with(
            model, around=arguments.around, decided=arguments.decided, progress=show
        )
    return _tell(arguments, result)


@contextmanager
def _asked(arguments: argparse.Namespace) -> "Iterator[Detections | AskedElsewhere]":
    """Return who is asked: a model here, or as workers have it, before a state is made."""
    reaching = reach(arguments.executor)
    if reaching is None:
        yield _model(arguments)
        return
    from cropkit.labels.elsewhere import AskedElsewhere  # noqa: PLC0415  (not for `--help`)

    root = scope_of(arguments.folder, arguments.state).root
    recipe = _recipe(arguments, called_from=str(Path.cwd()))
    with reaching(root) as workers:
        yield AskedElsewhere(workers, recipe, root)


def _recipe(arguments: argparse.Namespace, called_from: str = "") -> "Recipe":
    from cropkit.labels.elsewhere import Recipe  # noqa: PLC0415  (as above)

    return Recipe(
        arguments.model,
        order=arguments.order,
        units=arguments.units,
        frame=arguments.frame or "upright",
        outside=arguments.outside,
        wants=arguments.wants,
        name=arguments.name or arguments.model,
        version=arguments.version,
        called_from=called_from,
    )


def _model(arguments: argparse.Namespace) -> "Detections":
    if arguments.onnx is not None:
        from cropkit.suggest import onnx_model  # noqa: PLC0415  (as above)

        return onnx_model.suggester(arguments.onnx, arguments.name or "", arguments.version)
    if arguments.model is None:
        from cropkit.taste.proposing import learned  # noqa: PLC0415  (as above)

        return learned(arguments.head, arguments.name or "", arguments.version)
    return _recipe(arguments).detections()


def _tell(arguments: argparse.Namespace, result: "Import") -> int:
    if arguments.json:
        document(
            {
                "ok": result.ok,
                "name": result.name,
                "formats": result.formats,
                "images": result.images,
                "boxes": result.boxes,
                "known": result.known,
                "clipped": asdict(result.clipped),
                "problems": learning.as_json(result.problems),
                "strange": learning.as_json(result.strange),
            }
        )
    else:
        tell(_line(result))
    _complain("could not be used", result.problems)
    _complain("name no image of the collection", result.strange)
    return DONE if result.ok else FAILED


def _line(result: "Import") -> str:
    parts = [f"{result.name}: {result.boxes} {_plural('box', result.boxes)}"]
    parts.append(f"for {result.images} {_plural('image', result.images)}")
    if result.formats:
        parts.append(f"({', '.join(result.formats)})")
    text = " ".join(parts)
    if result.known:
        text += f"; {result.known} had theirs already"
    return f"{text}; {result.clipped}" if result.clipped.count else text


def _plural(word: str, count: int) -> str:
    if count == 1:
        return word
    return f"{word}es" if word.endswith("x") else f"{word}s"


def _complain(what: str, problems: "list[Problem]") -> None:
    learning.complain_of(problems)
    if problems:
        say(f"{len(problems)} {what}")


def _list(arguments: argparse.Namespace) -> int:
    with opened_existing(arguments.folder, state=arguments.state) as collection:
        sources = collection.imported.sources()
    if arguments.json:
        document({"imported": [asdict(source) for source in sources]})
    else:
        tell(*map(_source_line, sources))
    return DONE


def _source_line(source: "Source") -> str:
    boxes = f"{source.boxes} {_plural('box', source.boxes)}"
    images = f"{source.images} {_plural('image', source.images)}"
    return f"{source.name}: {boxes} for {images} ({source.format}), {source.imported_at}"


def _remove(arguments: argparse.Namespace) -> int:
    with opened_existing(arguments.folder, state=arguments.state) as collection:
        count = collection.imported.forget(arguments.remove)
    if arguments.json:
        document({"ok": True, "name": arguments.remove, "boxes": count})
    else:
        tell(f"{arguments.remove}: {count} {_plural('box', count)} removed")
    return DONE
