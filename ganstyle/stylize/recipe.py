"""How a picture was made, in words that a program can follow again."""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ganstyle import __version__
from ganstyle.backends.installed import installed_version
from ganstyle.backends.model import threads
from ganstyle.backends.pace import processor
from ganstyle.errors import GanstyleError
from ganstyle.stylize.controls import Controls

PACKAGES = ("numpy", "pillow", "opencv-python-headless", "isal")
"""Whose versions may change a byte, beside the backend's."""


class RecipeError(GanstyleError):
    """A recipe that is missing, damaged or cannot be followed."""


@dataclass(frozen=True)
class Recipe:
    """Everything that the bytes of an output depend on."""

    input: str
    """SHA-256 of the photograph's file."""
    model: str
    """Where the artifact or the exported file was."""
    weights: str
    """SHA-256 of the artifact's weights, or of the exported file."""
    controls: Controls
    mask: str | None
    """SHA-256 of the mask's file."""
    memory: int
    """Bytes that the picture was allowed; they decide about strips and their heights."""
    in_strips: bool
    backend: str
    versions: Mapping[str, str]
    """Of ganstyle, Python, and the packages that a byte may depend on; the processor and its threads, too."""

    def text(self) -> str:
        """Write it as JSON."""
        return json.dumps({"ganstyle": "recipe", **asdict(self)}, sort_keys=True, separators=(",", ":"))

    def strange(self, backend: str | None = None) -> list[str]:
        """Name what is different here from where the recipe was written, such as "torch 2.14.0, here 2.15.0".

        `backend` is what does the arithmetic here; by default the recipe's. Older recipes do not say all.
        """
        here = {"backend": backend or self.backend} | versions(backend or self.backend)
        there = {"backend": self.backend} | dict(self.versions)
        names = sorted(set(here) | set(there))
        told = [(name, there.get(name, "unknown"), here.get(name, "none")) for name in names]
        return [f"{name} {was}, here {now}" for name, was, now in told if was != now]


def read_recipe(text: str | None, name: str) -> Recipe:
    """Read the recipe in a picture that the user knows by a name. Raises RecipeError when there is none."""
    try:
        values: dict[str, Any] = json.loads(text or "")
        if values.pop("ganstyle") != "recipe":
            raise ValueError
        return _recipe(values, name)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RecipeError(f"{name} carries no recipe; PNG, JPEG and WebP from `ganstyle stylize` do.") from None


def _recipe(values: dict[str, Any], name: str) -> Recipe:
    writer = values["versions"]["ganstyle"]
    try:
        return Recipe(**values | {"controls": Controls(**values["controls"])})
    except (TypeError, GanstyleError) as error:
        raise RecipeError(
            f"{name} carries a recipe that ganstyle {writer} wrote and {__version__}, here, cannot follow ({error})."
        ) from None


def versions(backend: str = "torch") -> dict[str, str]:
    """Say what does the work here."""
    own = {"ganstyle": __version__, "python": platform.python_version()}
    own |= {"machine": platform.machine(), "processor": processor()}
    return own | _arithmetic(backend) | {name: installed_version(name) or "none" for name in (backend, *PACKAGES)}


def _arithmetic(backend: str) -> dict[str, str]:
    """How many threads compute, and with what."""
    if backend != "torch":
        return {"threads": str(threads())}
    import torch

    return {"threads": str(torch.get_num_threads()), "vectors": torch.backends.cpu.get_cpu_capability()}
