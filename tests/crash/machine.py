"""Random operations of two processes, with kills and faults between and within them; Hypothesis."""

import errno
from pathlib import Path

import disk
import scenarios
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from patience import patient
from points import FAULTS, At, Fault, telling
from scenarios import JPEG, OTHER, PNG, look
from tracer import CHANGES, Ended, Voice, Watch, trace

from cropkit.collection import Collection
from cropkit.errors import CropkitError
from cropkit.geometry import PixelBox
from cropkit.records import Verdict
from cropkit.system.home import HOME

names = st.sampled_from((PNG, JPEG, OTHER))
numbers = st.integers(1, 160)


class Machine(RuleBasedStateMachine):
    """One process stays open; another one comes and goes, and dies as it likes."""

    place = Path()
    steps = 0

    @initialize()
    def begin(self) -> None:
        disk.Disk({0: disk.Inode(folder=True, mode=0o755)}).write(self.place)
        scenarios.remember(None)
        scenarios.make_world(self.place)
        self.folder = self.place / "collection"
        self.originals = set(look(self.place).contents.values())
        self.collection = Collection(self.folder, deadline=patient(30))

    def teardown(self) -> None:
        if hasattr(self, "collection"):
            self.collection.close()

    @rule(name=names, number=numbers)
    def killed_in_a_crop(self, name: str, number: int) -> None:
        self._other(lambda kit: kit.crop(name, _smaller(kit, name)), At(number), CHANGES)

    @rule(number=numbers)
    def killed_in_an_undo(self, number: int) -> None:
        self._other(lambda kit: kit.undo(), At(number), CHANGES)

    @rule(number=numbers)
    def killed_in_a_redo(self, number: int) -> None:
        self._other(lambda kit: kit.redo(), At(number), CHANGES)

    @rule(number=st.integers(1, 300))
    def killed_in_a_group(self, number: int) -> None:
        self._other(scenarios.apply_a_group, At(number), CHANGES)

    @rule(name=names, number=numbers, error=st.sampled_from(list(FAULTS)), persistent=st.booleans())
    def failing_in_a_reject(self, name: str, number: int, error: int, *, persistent: bool) -> None:
        watch = Fault(number, error, persistent)
        verdict = Verdict.REJECT
        self._other(
            lambda kit: kit.apply(scenarios.decide(kit, verdict=verdict, name=name)),
            watch,
            FAULTS[error],
        )

    @rule(name=names, number=numbers)
    def failing_in_a_crop(self, name: str, number: int) -> None:
        watch = Fault(number, errno.EIO)
        self._other(lambda kit: kit.crop(name, _smaller(kit, name)), watch, FAULTS[errno.EIO])

    @rule(name=names)
    def crop(self, name: str) -> None:
        try:
            self.collection.crop(name, _smaller(self.collection, name))
        except CropkitError:
            assert (
                name not in look(self.folder).contents or self.collection.trail.decisions.standing()
            )

    @rule()
    def undo_everything(self) -> None:
        self.collection.recover()
        while self.collection.trail.operations.undoable():
            (result,) = self.collection.undo()
            assert result.status.value == "restored", result
        left = look(self.place).contents.values()
        assert set(left) == self.originals

    def _other(self, act: scenarios.Act, watch: Watch, calls: tuple[str, ...]) -> Ended:
        type(self).steps += 1

        def body(voice: Voice) -> None:
            kit = Collection(self.folder, deadline=patient(30))
            voice.arm()
            act(kit)
            voice.say("ok")

        ended = trace(telling(body), watch, calls)
        said = ended.said[-1] if ended.said else ""
        assert not said.startswith("crash"), said
        assert not ended.hung
        self.collection.recover()
        self._check()
        return ended

    def _check(self) -> None:
        differences = [
            one for one in self.collection.fsck() if one.kind != "left over" or "stage" in one.path
        ]
        assert differences == []
        assert self.collection.trail.operations.unsettled() == []
        kept = {path.name for path in (self.folder / HOME / "originals").iterdir()}
        here = set(look(self.place).contents.values())
        finished = self.collection.trail.operations.finished()
        rejected = {one.sha256_after for one in finished}
        rejected |= {c.sha256 for one in finished for c in one.companions}
        assert self.originals <= kept | here | rejected


def _smaller(kit: Collection, name: str) -> PixelBox:
    size = kit.look(name).size
    return PixelBox(0, 0, max(1, size.width - 16), max(1, size.height - 16))


def steps(place: Path, examples: int) -> tuple[int, list[str]]:
    """Run the machine; return the number of steps and what was violated."""
    Machine.place, Machine.steps = place, 0
    chosen = settings(
        max_examples=examples,
        stateful_step_count=12,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(Machine, settings=chosen)
    except Exception as error:  # noqa: BLE001  (whatever it found is told)
        return Machine.steps, [f"{type(error).__name__}: {error} {getattr(error, '__notes__', '')}"]
    return Machine.steps, []
