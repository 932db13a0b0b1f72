"""What the kernel of a review has in use."""

from pathlib import Path

from browser.reviewing import Review

WIDGETS = "len(__import__('ipywidgets').widgets.widget._instances)"
KERNEL = "__import__('os').getpid()"


def kernel(review: Review) -> tuple[int, int]:
    """Its widgets, and its memory in MB."""
    with review.probe() as probe:
        widgets, pid = probe.value(WIDGETS), probe.value(KERNEL)
    smaps = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    pss = next(line for line in smaps if line.startswith("Pss:"))
    return int(widgets), int(pss.split()[1]) // 1024
