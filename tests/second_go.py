"""What may be tried once more, three tests of a run at most (`--max-suite-reruns`).

The closing line counts it, and the whole text of the failure stands above that. As a plugin of
pytest, `-p second_go`, it is so for a run without the settings of `conftest.py`.
"""

import pytest
from running import TOGETHER, scope_of

# `stolen_port` says how.
LOST_PORT = "Kernel died before replying to kernel_info"


def give(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let what fails in a browser be tried once more, and elsewhere a kernel that lost a port.

    Both are of others, and lose a race sometimes. Who debugs looks at the first failure.
    """
    if config.option.usepdb:
        return
    for item in items:
        only = [] if scope_of(item.nodeid) in TOGETHER else [LOST_PORT]
        item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=only))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what was collected."""
    give(config, items)
