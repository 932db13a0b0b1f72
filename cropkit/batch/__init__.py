"""Unattended: what was decided is carried out, or each image is cropped by its own suggestion.

A batch is planned first, as a value; then carried out by the same engine as in the review; then
judged by the trail. `Batch` is what the notebook `2_batch` calls, `run_notebook` runs that notebook
through papermill and leaves its record in `.cropkit/runs/`.
"""

from cropkit.batch.batch import Batch
from cropkit.batch.plan import Plan, Source
from cropkit.runs.record import RunRecord

__all__ = ["Batch", "Plan", "RunRecord", "Source"]
