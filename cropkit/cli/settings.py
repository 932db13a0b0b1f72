"""`settings`: how the crops of a collection are made, where nothing else is said."""

import argparse
from pathlib import Path

from cropkit.cli.shell import DONE, Commands, document, folder_command, opened, reading, say, tell
from cropkit.cli.ways import Opening, add_slots, add_ways, ways
from cropkit.errors import NoCollection
from cropkit.system.scope import scope_of

_REFUSE, _SIGN = _PROVENANCE = ("refuse", "sign")


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = folder_command(commands, "settings", "how crops of a collection are made", _settings)
    text = "move the corner out to a whole block; or encode that box anew; or the very box"
    parser.add_argument("--jpeg", metavar="lossless|lossless-or-exact|exact", help=text)
    text = "leave this out of a crop instead of refusing the file; say all of them each time"
    parser.add_argument("--drop", action="append", metavar="ITEM", help=text)
    text = "go by the content where a name says another format: --drop extension"
    parser.add_argument(
        "--by-content", action="append_const", dest="drop", const="extension", help=text
    )
    text = "refuse again, whatever was to be left out"
    parser.add_argument("--drop-nothing", action="store_true", help=text)
    text = "crop what can be read of damaged JPEGs and PNGs"
    parser.add_argument("--salvage", action=argparse.BooleanOptionalAction, help=text)
    text = "content credentials: sign crops anew with your own certificate, or refuse such images"
    parser.add_argument("--provenance", choices=_PROVENANCE, help=text)
    text = "crop HEIC in its own file, without loss, in several times the bytes; or refuse it"
    parser.add_argument("--heic", metavar="refuse|exact", help=text)
    text = "rewrite world files, boxes and the like beside an image, or refuse it; tell; or refuse"
    parser.add_argument("--companions", metavar="transform|tell|refuse", help=text)
    text = "crop images themselves again, to any box"
    parser.add_argument("--in-place", action="store_true", help=text)
    text = (
        "how a review puts boxes around subjects, as 'margin=0.15 aspect=4:5'; one more by a name, "
        "as 'portrait: aspect=4:5'; 'portrait:' forgets it"
    )
    parser.add_argument("--around", metavar="[NAME:]RULE", help=text)
    add_ways(parser)
    add_slots(parser)


def _settings(arguments: argparse.Namespace) -> int:
    if arguments.provenance:
        _choose_provenance(arguments.folder, arguments.state, arguments.provenance)
    said = {name: getattr(arguments, name) for name in ("jpeg", "companions", "heic")}
    changes = {name: value for name, value in said.items() if value}
    if arguments.heic == "exact":
        _tell_of_heic(arguments.folder)
    if arguments.drop or arguments.drop_nothing:
        changes["drop"] = " ".join(arguments.drop or ())
    if arguments.salvage is not None:
        changes["salvage"] = "yes" if arguments.salvage else ""
    wanted = ways(arguments)
    wanted["salvage"] = False  # which is kept, and not for this session
    if changes or arguments.in_place or arguments.around is not None or _are_said(wanted):
        _choose(arguments, wanted, changes)
    chosen = _chosen(arguments.folder, arguments.state)
    if arguments.json:
        document({"settings": chosen})
    else:
        tell(*(f"{name}: {value}" for name, value in chosen.items()))
    return DONE


def _tell_of_heic(folder: Path) -> None:
    """Say what is chosen, where what it needs is installed."""
    from cropkit.formats.heif import library  # noqa: PLC0415  (only where it is needed)

    library.check_installed(str(folder))
    say(f"{folder}: HEIC is cropped without loss; a pixel takes some 3 to 6 times its bytes")


def _choose_provenance(folder: Path, state: Path | None, choice: str) -> None:
    """Keep whether this person signs crops here: their own, and no setting of the collection."""
    from cropkit.formats.credentials import signer  # noqa: PLC0415  (only where it is needed)
    from cropkit.system import signing  # noqa: PLC0415  (as above)

    scope = scope_of(folder, state)
    scope.check_is_whole()
    if choice == _SIGN:
        said = signer.load(str(folder))
        say(f"{folder}: crops of images with content credentials are signed by {said.called}")
    signing.want(scope.root, wanted=choice == _SIGN)


def _are_said(wanted: Opening) -> bool:
    return any(value for name, value in wanted.items() if name != "state")


def _chosen(folder: Path, state: Path | None) -> dict[str, str]:
    """Return the settings; of what becomes of crops only what is not as usual."""
    from cropkit.audit import second_opinions  # noqa: PLC0415  (only where it is needed)
    from cropkit.engine.ways import AROUND, AROUND_NAMED, SETTINGS  # noqa: PLC0415  (as above)
    from cropkit.formats.options import Options  # noqa: PLC0415  (as above)
    from cropkit.labels import framing_rule  # noqa: PLC0415  (as above)
    from cropkit.opinions import SETTING as DOUBLE  # noqa: PLC0415  (as above)
    from cropkit.system import signing  # noqa: PLC0415  (as above)

    try:
        with reading(folder, state) as trail:
            kept = trail.settings()
    except NoCollection:
        kept = {}
    doubled = second_opinions.share(kept)
    others = {name: kept[name] for name in (*SETTINGS, AROUND) if kept.get(name)}
    named = framing_rule.texts(kept.get(AROUND_NAMED, ""))
    others |= {f"{AROUND} {name}": rule for name, rule in named.items()}
    others |= {DOUBLE: f"{100 * doubled:g} %"} if doubled else {}
    signs = {"provenance": _SIGN} if signing.is_wanted(scope_of(folder, state).root) else {}
    return Options.from_settings(kept).to_settings() | others | signs


def _choose(arguments: argparse.Namespace, wanted: Opening, changes: dict[str, str]) -> None:
    from cropkit.engine.ways import Ways  # noqa: PLC0415  (only where it is needed)
    from cropkit.formats.options import Options  # noqa: PLC0415  (as above)

    with opened(arguments.folder, **wanted) as collection:
        options = collection.options.to_settings()
        if options | changes != options:
            collection.choose(Options.from_settings(options | changes))
        if arguments.around is not None:
            collection.keep_around(arguments.around)
        if arguments.in_place:
            collection.keep_ways(Ways())
        elif _are_said(wanted):
            collection.keep_ways(collection.asked)
