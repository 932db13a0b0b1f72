import multiprocessing
import pickle
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from string import Formatter

import pytest

from cropkit import errors
from cropkit.errors import AuditError, CropkitError, Failed, InDoubt, Refused

FACTS = ("photos/a.png", "0123456789ab-op", 12.5, "four")


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


def test_the_docstring_draws_every_error_and_no_other() -> None:
    drawing = errors.__doc__ or ""
    branches = re.findall(r"── ([A-Z]\w+) ", drawing)
    lists = re.findall(
        r"  ((?:[A-Z][a-z]\w+, ?)+(?:[A-Z]\w+)?|[A-Z][a-z]\w+)$", drawing, flags=re.MULTILINE
    )
    drawn = set(branches) | set(re.findall(r"\w+", " ".join(lists)))
    assert drawn == {error.__name__ for error in EVERY_ERROR} - {"CropkitError"}


@pytest.mark.parametrize("error", EVERY_ERROR)
def test_every_error_is_cut_by_what_happened_to_the_file(error: type[CropkitError]) -> None:
    cuts = (Refused, Failed, InDoubt, AuditError)
    assert error is CropkitError or sum(issubclass(error, cut) for cut in cuts) == 1


@pytest.mark.parametrize("error", EVERY_ERROR)
def test_the_status_of_an_error_follows_from_its_cut(error: type[CropkitError]) -> None:
    expected = {Refused: "refused", InDoubt: "in-doubt"}
    cut = next((cut for cut in expected if issubclass(error, cut)), None)
    assert error.status == (expected[cut] if cut else "failed")


def test_every_error_lists_the_facts_that_its_template_uses() -> None:
    with_template = [error for error in tree() if "template" in vars(error)][1:]
    for error in with_template:
        listed = re.match(r"\((.*?)\)", error.__doc__ or "")
        used = {name for _, name, _, _ in Formatter().parse(error.template) if name}
        assert listed, error
        assert len(listed[1].split(",")) >= len(used), error
