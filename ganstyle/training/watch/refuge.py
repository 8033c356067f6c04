"""The last state of a run after which, for a while, nothing bad was seen."""

from collections.abc import Callable, Mapping
from pathlib import Path


class Refuge:
    """Keeps `healthy_<look>.ckpt`: one that has proved itself, and a younger one on probation.

    What it does depends on looks and verdicts alone, so that an interrupted run goes on as if it had not been.

    Args:
        folder: where the files lie.
        stride: looks between two saves.
        probation: looks that must pass without a verdict until a state counts as healthy; fewer than `stride`.
    """

    def __init__(self, folder: Path, *, stride: int, probation: int) -> None:
        self.folder, self.stride, self.probation = folder, stride, probation
        self.proved: int | None = None
        self.young: int | None = None

    def path(self, look: int) -> Path:
        """Return the file of the state at a look."""
        return self.folder / f"healthy_{look:06d}.ckpt"

    def visit(self, look: int, well: bool, save: Callable[[Path], None]) -> None:
        """Save, promote or drop, after a look; the very first state counts as healthy at once."""
        if not well:
            self.young = None
        elif self.proved is None:
            self.proved = look
            save(self.path(look))
        elif self.young is None:
            if look - self.proved >= self.stride - self.probation:
                self.young = look
                save(self.path(look))
        elif look - self.young >= self.probation:
            self.proved, self.young = self.young, None

    def go_back(self) -> Path:
        """Return the file to go back to; a younger state is of the course that is given up, and never proves itself."""
        assert self.proved is not None  # there is one to go back to
        self.young = None
        return self.path(self.proved)

    def tidy(self) -> None:
        """Remove the files of states that are no longer needed."""
        kept = {self.path(look) for look in (self.proved, self.young) if look is not None}
        for file in self.folder.glob("healthy_*.ckpt"):
            if file not in kept:
                file.unlink()

    def state_dict(self) -> dict[str, int | None]:
        """Return which states there are."""
        return {"proved": self.proved, "young": self.young}

    def load_state_dict(self, state: Mapping[str, int | None]) -> None:
        """Go on with the states that were there."""
        self.proved, self.young = state["proved"], state["young"]
