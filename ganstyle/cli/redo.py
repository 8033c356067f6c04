"""`ganstyle redo`: a restyled picture made again by its own recipe."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ganstyle.cli.refusals import refuse_overwriting, refuse_replacing

if TYPE_CHECKING:
    from ganstyle.stylize.files import MaskFile, Painter
    from ganstyle.stylize.recipe import Recipe

DETAILS = """\
Reads the recipe in a PNG, JPEG or WebP that `ganstyle stylize` wrote, does the same to the photograph, and says whether
the same bytes came out. Another photograph, artifact or mask than the recipe names is refused. Exit code 1: it came out
differently; how far is told, and what is different on this machine.

examples:
  ganstyle redo out.png --input photo.jpg
  ganstyle redo out.png --input photo.jpg --model examples/models/vangogh --output again.png
"""


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("picture", metavar="PICTURE", type=Path, help="what `ganstyle stylize` wrote")
    parser.add_argument("--input", metavar="PHOTO", type=Path, required=True, help="the photograph it was made of")
    parser.add_argument("--model", metavar="ARTIFACT", type=Path, help="the artifact (default: where it was)")
    parser.add_argument("--mask", metavar="MASK", type=Path, help="the mask, if there was one")
    parser.add_argument("--output", metavar="OUT", type=Path, help="write the result there, too")
    parser.add_argument("--force", action="store_true", help="replace what is at --output")


def run(words: Namespace) -> int:
    """Make the picture again and compare; 1 when it came out differently."""
    from ganstyle import images
    from ganstyle.decode import format_of
    from ganstyle.stylize.encode import publish
    from ganstyle.stylize.files import Studio, backend_of
    from ganstyle.stylize.photograph import LARGEST, read
    from ganstyle.stylize.recipe import RecipeError, read_recipe

    if words.output is not None:
        refuse_replacing(words.output, (words.input, words.mask))
        refuse_overwriting(words.output, force=words.force)
    kind = images.header(words.picture, largest=LARGEST).format
    if words.output is not None and format_of(words.output) != kind:
        raise RecipeError(f"{words.picture} is a {kind}, and so will be {words.output}; give it a suffix that says so.")
    recipe = read_recipe(read(words.picture).recipe, str(words.picture))
    photo = read(words.input)
    _require("photograph", words.input, photo.sha256, recipe.input)
    model, mask = _model(recipe, words.model), _mask(recipe, words.mask)
    content = Studio(model, recipe.model, recipe.controls, recipe.memory, mask).restyle(photo, kind)
    if words.output is not None:
        publish(content, words.output, force=words.force)
    return _verdict(words.picture, content, recipe.strange(backend_of(model)))


def _model(recipe: "Recipe", given: Path | None) -> "Painter":
    from ganstyle.backends.opened import opened
    from ganstyle.stylize.files import sha256_of
    from ganstyle.stylize.recipe import RecipeError

    if given is None and not Path(recipe.model).exists():
        raise RecipeError(f"{recipe.model}, the recipe's model, is not there any more; say as --model where it is.")
    model = opened(given or Path(recipe.model))
    _require("artifact", given or Path(recipe.model), sha256_of(model), recipe.weights)
    return model


def _mask(recipe: "Recipe", given: Path | None) -> "MaskFile | None":
    from ganstyle.stylize.files import read_mask
    from ganstyle.stylize.recipe import RecipeError

    if (given is None) != (recipe.mask is None):
        raise RecipeError("the recipe has a mask; give it as --mask." if recipe.mask else "the recipe has no mask.")
    if given is None or recipe.mask is None:
        return None
    mask = read_mask(given)
    _require("mask", given, mask.sha256, recipe.mask)
    return mask


def _require(kind: str, path: Path, found: str, wanted: str) -> None:
    from ganstyle.stylize.recipe import RecipeError

    if found != wanted:
        raise RecipeError(f"{path} is not the {kind} of the recipe: its SHA-256 is {found}, not {wanted}.")


def _verdict(picture: Path, content: bytes, strange: list[str]) -> int:
    if content == picture.read_bytes():
        print(f"{picture}: the same {len(content):,} bytes")
        return 0
    why = "; ".join(strange) or "the picture was changed after it was made"
    print(f"{picture}: {_likeness(picture, content)} ({why})", file=sys.stderr)
    return 1


def _likeness(picture: Path, content: bytes) -> str:
    """Say how far two files that are not the same are apart; versions stand in the recipe, and so in the bytes."""
    import numpy as np

    from ganstyle.stylize.photograph import decoded, read

    old, new = read(picture).pixels, decoded(content, str(picture)).pixels
    if old.shape != new.shape or old.dtype != new.dtype:
        return "not the same bytes, nor the same size or depth"
    apart = int(np.abs(old.astype(np.int64) - new).max())
    most = np.iinfo(old.dtype).max
    return (
        "not the same bytes, but the same pixels" if not apart else f"not the same bytes: off by up to {apart}/{most}"
    )
