import multiprocessing
import pickle
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from string import Formatter

import pytest

from cropkit import errors
from cropkit.errors import (
    AuditError,
    BadInput,
    CropkitError,
    Failed,
    InDoubt,
    NotWorking,
    Refused,
)
from cropkit.records import Status

FACTS = ("photos/a.png", "0123456789ab-op", 12.5, "four", "five", "six")


def tree(root: type[CropkitError] = CropkitError) -> Iterator[type[CropkitError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


EVERY_ERROR = sorted(set(tree()), key=lambda error: error.__name__)


def example_of(error: type[CropkitError]) -> CropkitError:
    """Build one with as many facts as its template names, numbers where it formats numbers."""
    fields = [(int(name), spec) for _, name, spec, _ in Formatter().parse(error.template) if name]
    facts = list(FACTS[: 1 + max(index for index, _ in fields)])
    for index, spec in fields:
        facts[index] = 2.5 if spec and spec.endswith("g") else FACTS[0 if index == 0 else 1]
    return error(*facts)


def raise_it(error: CropkitError) -> None:
    raise error


@pytest.mark.parametrize("error", EVERY_ERROR)
def test_an_error_names_its_file_and_formats_every_fact(error: type[CropkitError]) -> None:
    said = str(example_of(error))
    assert FACTS[0] in said or (error.__doc__ or "").startswith("(move")
    assert "{" not in said
    assert error.cure.format(*example_of(error).args) in said


@pytest.mark.parametrize("error", EVERY_ERROR)
def test_an_error_survives_pickling(error: type[CropkitError]) -> None:
    raised = example_of(error)
    copy = pickle.loads(pickle.dumps(raised))  # noqa: S301  (what a process pool does)
    assert type(copy) is error
    assert (copy.args, str(copy), copy.code) == (raised.args, str(raised), error.__name__)


def test_an_error_comes_whole_out_of_a_process_pool() -> None:
    raised = example_of(errors.StaleDecision)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool, pytest.raises(errors.StaleDecision) as caught:
        pool.submit(raise_it, raised).result()
    assert str(caught.value) == str(raised)


def drawn() -> dict[str, str]:
    """Return what the module's docstring draws: each error and the one it hangs from."""
    branches = {0: "CropkitError"}
    parent_of: dict[str, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        branch = re.match(r"([ │]*)[├└]── ([A-Z]\w+)(.*)", line)
        depth = len(branch[1]) // 5 + 1 if branch else max(branches)
        text = branch[3] if branch else line.replace("│", " ")
        if branch:
            parent_of[branch[2]] = branches[depth - 1]
            branches = {n: name for n, name in branches.items() if n < depth} | {depth: branch[2]}
        if re.fullmatch(r" +(?:[A-Z]\w+[a-z], ?)*[A-Z]\w+[a-z],?", text):
            parent_of |= dict.fromkeys(re.findall(r"\w+", text), branches[depth])
    return parent_of


def parent(error: type[CropkitError]) -> str:
    return next(base.__name__ for base in error.__bases__ if issubclass(base, CropkitError))


def test_the_docstring_draws_every_error_where_it_hangs_and_no_other() -> None:
    assert drawn() == {e.__name__: parent(e) for e in EVERY_ERROR if e is not CropkitError}


CUTS = (Refused, Failed, InDoubt, AuditError, BadInput, NotWorking)
STATUS = {Refused: "refused", InDoubt: "in-doubt", BadInput: "refused", NotWorking: "refused"}


@pytest.mark.parametrize("error", [e for e in EVERY_ERROR if e is not CropkitError])
def test_every_error_is_in_one_cut_which_gives_it_its_status(error: type[CropkitError]) -> None:
    (cut,) = (cut for cut in CUTS if issubclass(error, cut))
    assert error.status == STATUS.get(cut, "failed")
    assert Status(error.status).value == error.status


@pytest.mark.parametrize("error", EVERY_ERROR)
def test_every_error_says_code_status_cure_and_whether_it_passes(
    error: type[CropkitError],
) -> None:
    raised = example_of(error)
    said = {name: getattr(raised, name) for name in ("code", "status", "cure", "passes")}
    assert {name: type(value) for name, value in said.items()} == {
        "code": str,
        "status": str,
        "cure": str,
        "passes": bool,
    }
    assert said["code"] == error.__name__
    assert not raised.cure.endswith(".")  # it is one sentence of a message, without its end


def test_an_error_about_no_image_names_none() -> None:
    """A template whose first fact is an image's path belongs to a cut that tells its fate."""
    about_images = {e for e in EVERY_ERROR if re.match(r"\(path\b", e.__doc__ or "")}
    assert about_images
    assert not [e for e in about_images if issubclass(e, (BadInput, NotWorking))]


def test_only_what_lies_outside_of_the_file_passes() -> None:
    passing = {
        errors.NoSpace,
        errors.ReadOnly,
        errors.SourceReadOnly,
        errors.SecondState,
        errors.DestinationGone,
        errors.CompanionStale,
        errors.ApplierStopped,
        errors.LosslessUnavailable,
        errors.PartMissing,
        errors.CannotSign,
    }
    assert {e for e in EVERY_ERROR if e.passes} == passing


def test_every_error_lists_the_facts_that_its_template_uses() -> None:
    with_template = [error for error in tree() if "template" in vars(error)][1:]
    for error in with_template:
        listed = re.match(r"\((.*?)\)", error.__doc__ or "")
        used = {name for _, name, _, _ in Formatter().parse(error.template) if name}
        assert listed, error
        assert len(listed[1].split(",")) >= len(used), error
