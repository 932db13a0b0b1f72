"""What strangers meet first: the text of the package, workflows, forms and Binder; each is true."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def test_the_text_for_an_index_has_no_link_that_leads_nowhere_there() -> None:
    text = (ROOT / PROJECT["readme"]).read_text("utf-8")
    assert not re.findall(r"\]\((?!https://)", text)
    for extra in re.findall(r"^\| (`.+?`(?:, `.+?`)*) \|", text, re.MULTILINE):
        assert set(re.findall(r"`(\w+)`", extra)) <= EXTRAS.keys()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_do_no_more_than_it_says(workflow: Path) -> None:
    document = yaml.safe_load(workflow.read_text("utf-8"))
    assert document["permissions"] in ({}, {"contents": "read"})
    assert all("uses" in step or "run" in step for step in steps(workflow))
    assert "secrets." not in workflow.read_text("utf-8")


def test_the_tests_run_as_the_readme_says_in_each_python_that_is_promised() -> None:
    workflow = ROOT / ".github/workflows/tests.yml"
    assert "python3 -m cropkit test" in {step.get("run") for step in steps(workflow)}
    job = yaml.safe_load(workflow.read_text("utf-8"))["jobs"]["tests"]
    promised = [
        each.rpartition(" ")[2] for each in PROJECT["classifiers"] if " :: Python :: 3." in each
    ]
    assert job["strategy"]["matrix"]["python"] == promised


def test_a_release_is_attested_and_published_without_a_password() -> None:
    release = steps(ROOT / ".github/workflows/release.yml")
    used = {step["uses"].partition("@")[0] for step in release if "uses" in step}
    assert {"actions/attest-build-provenance", "pypa/gh-action-pypi-publish"} <= used


def test_the_site_is_built_by_the_same_packages_as_the_extra_brings() -> None:
    (run,) = (s["run"] for s in steps(WORKFLOWS[1]) if "mkdocs-material" in s.get("run", ""))
    assert re.findall(r'"(.+?)"', run) == EXTRAS["docs"]


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_for_something(form: Path) -> None:
    document = yaml.safe_load(form.read_text("utf-8"))
    if form.stem == "config":
        assert document["blank_issues_enabled"] is True
        return
    assert {"name", "description", "body"} == document.keys()
    ids = [part["id"] for part in document["body"] if part["type"] != "markdown"]
    assert ids
    assert len(set(ids)) == len(ids)


def test_binder_installs_what_a_kernel_and_the_notebooks_need() -> None:
    lines = (ROOT / "binder/requirements.txt").read_text("utf-8").splitlines()
    (wanted,) = (line for line in lines if not line.startswith("#"))
    extras = re.fullmatch(r"\.\[(\w+)\]", wanted)
    assert extras
    assert "papermill" in {Requirement(each).name for each in EXTRAS[extras[1]]}
    assert (ROOT / "binder/runtime.txt").read_text("utf-8") == "python-3.12\n"
