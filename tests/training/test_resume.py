"""A run that is killed and resumed ends where an uninterrupted one does, to the bit."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import fsspec
import numpy as np
import pytest
import torch
from data.trees import encoded, places_tree, shard, wikiart_tree
from PIL import Image as Pillow
from training.faults import Crash
from training.game import NETWORKS, UNPAIRED, checkpoint, differences, drift, fault, here, newest, train

from ganstyle.artifact import load
from ganstyle.training.folder import is_taken, taken


def cut(at: int) -> tuple[str, ...]:
    return "+callbacks.cut._target_=training.faults.Cut", f"+callbacks.cut.at={at}"


def interrupted(folder: Path, at: int, *overrides: str) -> Path:
    """A run that dies before image `at`, and goes on."""
    with pytest.raises(Crash):
        here(folder, *overrides, *cut(at))
    ended = here(folder, *overrides, "resume=last")
    assert ended.code == 0, ended.err
    runs = list((folder / "smoke").iterdir())
    assert len(runs) == 1
    return runs[0]


def whole(folder: Path, *overrides: str) -> Path:
    ended = here(folder, *overrides)
    assert ended.code == 0, ended.err
    return newest(folder)


KNOBS = {
    "pix2pix": ("callbacks.checkpoints.monitor=val/psnr", "callbacks.checkpoints.mode=max"),
    "a_pool_and_open_windows": (
        "method=cyclegan",
        *UNPAIRED,
        *NETWORKS,
        "system.method.pool_size=3",
        "system.accumulate=3",
        "callbacks.checkpoints.every=6",
    ),
}


@pytest.mark.parametrize(("at", "knobs"), [*zip((10, 22), KNOBS.values(), strict=True)], ids=KNOBS)
def test_a_run_cut_off_anywhere_ends_as_if_it_had_not_been(tmp_path: Path, at: int, knobs: tuple[str, ...]) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    expected, run = whole(one, *knobs), interrupted(other, at, *knobs)
    assert drift(expected, run) == []
    for name in ("artifact/weights.safetensors", "comparison.png"):
        files = sorted(expected.rglob(Path(name).name))
        assert files
        assert all(file.read_bytes() == (run / file.relative_to(expected)).read_bytes() for file in files)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("at", [8, 14])
def test_kill_9_in_the_middle_of_an_epoch_costs_nothing_but_time(tmp_path: Path, workers: int, at: int) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    other.mkdir()
    expected = whole(one, "callbacks.checkpoints.monitor=val/psnr")
    knobs = (f"trainer.workers={workers}", "callbacks.checkpoints.monitor=val/psnr")
    killed = train(other, *knobs, *fault("kill", at))
    assert killed.code == -9
    assert train(other, *knobs, "resume=last").code == 0
    assert drift(expected, newest(other)) == []
    assert differences(checkpoint(expected, "best")["networks"], checkpoint(newest(other), "best")["networks"]) == []


@pytest.fixture
def collections(tmp_path: Path) -> tuple[str, ...]:
    """Two folders of unequal pictures, learned from with every augmentation."""
    random = np.random.default_rng(0)
    for side, count in (("source", 7), ("target", 5)):
        (tmp_path / side).mkdir()
        for number in range(count):
            pixels = random.integers(0, 255, (37 + number, 45, 3), dtype=np.uint8)
            Pillow.fromarray(pixels).save(tmp_path / side / f"{number}.png")
    places = [f"data.{side}={tmp_path / side}" for side in ("source", "target")]
    sizes = ["data.source_resize=40", "data.target_resize=40", "data.crop=32", "data.view=32"]
    return (
        "name=smoke",
        "data=unpaired",
        "method=perceptual_gan",
        "perceptual=random",
        *NETWORKS,
        *places,
        *sizes,
        "+data.augment.ColorJitter.hue=0.1",
        "trainer.accelerator=cpu",
        "trainer.batch_size=2",
        "trainer.workers=0",
        "trainer.max_images=18",
        "callbacks.checkpoints.every=4",
        "callbacks.validation.every=6",
    )


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_the_order_of_two_folders_and_their_augmentation_resume_too(
    tmp_path: Path, collections: tuple[str, ...], workers: int
) -> None:
    (tmp_path / "other").mkdir()
    expected = train(tmp_path, base=collections)
    assert expected.code == 0, expected.err
    knobs = f"trainer.workers={workers}"
    assert train(tmp_path / "other", knobs, *fault("kill", 10), base=collections).code == -9
    resumed = train(tmp_path / "other", knobs, "resume=last", base=collections)
    assert resumed.code == 0, resumed.err
    assert drift(newest(tmp_path), newest(tmp_path / "other")) == []


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of forks beside threads (Python 3.12)
def test_a_process_that_loads_pictures_does_not_hold_the_folder_of_a_run_that_was_killed(tmp_path: Path) -> None:
    (reading, writing), (told, telling) = os.pipe(), os.pipe()
    with taken(tmp_path):
        process = os.fork()
        if process == 0:
            os.close(writing)
            os.write(telling, b".")
            os.read(reading, 1)  # until the test is over
            os._exit(0)
        os.read(told, 1)  # the process has begun
    held = is_taken(tmp_path)
    os.close(writing)
    os.waitpid(process, 0)
    for end in (reading, told, telling):
        os.close(end)
    assert not held


LARGE = (
    *("name=smoke", "method=perceptual_gan", "perceptual=random", *NETWORKS),
    *("data.source_resize=40", "data.target_resize=40", "data.crop=32", "data.view=32", "data.val=2"),
    *("trainer.accelerator=cpu", "trainer.batch_size=2", "trainer.max_images=18"),
    *("callbacks.checkpoints.every=4", "callbacks.validation.every=6"),
)


def labelled(folder: Path) -> tuple[str, ...]:
    """Fields and villages of Places to Van Gogh's and Hokusai's paintings in two styles of WikiArt."""
    places, paintings = places_tree(folder / "places", each=4), wikiart_tree(folder / "wikiart")
    sides = (f"data.source=places:{places}", f"data.target=wikiart:{paintings}")
    return (
        *("data=wikiart_places", *sides, "data.category=[field,village]", "data.style=[Ukiyo_e,Impressionism]"),
        "data.artist=[vincent-van-gogh,katsushika-hokusai]",
    )


def archived(folder: Path) -> tuple[str, ...]:
    """Tar files on this machine, and a folder on another one."""
    for number in range(3):
        shard(folder / "tars" / f"train-{number:04}.tar", range(4 * number, 4 * number + 4))
    system = fsspec.filesystem("memory")
    for number in range(5):
        system.pipe(f"/{folder.name}/{number}.jpg", encoded(100 + number))
    tars, index = f"data.source='{folder}/tars/train-{{0000..0002}}.tar'", f"data.index={folder / 'index'}"
    return "data=unpaired", tars, f"data.target=memory://{folder.name}", index


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # more than there are cores
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("lay_out", [labelled, archived])
def test_a_large_collection_resumes_in_its_order(
    tmp_path: Path, lay_out: Callable[[Path], tuple[str, ...]], workers: int
) -> None:
    base = (*lay_out(tmp_path), *LARGE)
    assert here(tmp_path / "one", "trainer.workers=0", base=base).code == 0
    knob = f"trainer.workers={workers}"
    with pytest.raises(Crash):
        here(tmp_path / "other", knob, *cut(10), base=base)
    ended = here(tmp_path / "other", knob, "resume=last", base=base)
    assert ended.code == 0, ended.err
    assert drift(newest(tmp_path / "one"), newest(tmp_path / "other")) == []


@pytest.mark.slow
def test_kill_9_over_wikiart_and_places_costs_nothing_but_time(tmp_path: Path) -> None:
    base = (*labelled(tmp_path), *LARGE, "trainer.workers=2")
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    assert train(tmp_path / "one", base=base).code == 0
    assert train(tmp_path / "other", *fault("kill", 10), base=base).code == -9
    resumed = train(tmp_path / "other", "resume=last", base=base)
    assert resumed.code == 0, resumed.err
    assert drift(newest(tmp_path / "one"), newest(tmp_path / "other")) == []


def test_killed_before_the_first_checkpoint_it_starts_over_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(Crash):
        here(tmp_path / "cut", *cut(4))
    ended = here(tmp_path / "cut", "resume=last")
    assert ended.code == 0
    assert "holds no checkpoint yet, so there is nothing to resume: the run starts over." in ended.err
    assert drift(whole(tmp_path / "whole"), newest(tmp_path / "cut")) == []


def test_a_finished_run_resumed_writes_the_same_results_again(tmp_path: Path) -> None:
    run = whole(tmp_path)
    before = {name: (run / name).read_bytes() for name in ("artifact/weights.safetensors", "comparison.png")}
    ended = here(tmp_path, "resume=last")
    assert ended.code == 0
    assert {name: (run / name).read_bytes() for name in before} == before
    assert load(run / "artifact").card.training["images_seen"] == 24


def test_a_run_folder_and_a_checkpoint_may_be_named(tmp_path: Path, dead: Path) -> None:
    expected = whole(tmp_path / "whole")
    for name in ("", "checkpoints/last.ckpt"):
        folder = tmp_path / f"cut{len(name)}"
        shutil.copytree(dead, folder)
        assert here(folder, f"resume={newest(folder) / name}").code == 0
        assert drift(expected, newest(folder)) == []


@pytest.fixture(scope="module")
def dead(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs with one that died after its first checkpoint."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("dead")
    with pytest.raises(Crash):
        here(folder, *cut(10))
    return folder


def test_keys_that_decide_what_is_trained_may_not_change_and_others_may(tmp_path: Path, dead: Path) -> None:
    shutil.copytree(dead, tmp_path, dirs_exist_ok=True)
    ended = here(tmp_path, "resume=last", "system.weights.generator.l1=5", "seed=1", "data.scenes=7")
    assert ended.code == 2
    assert "data.scenes (was 6, now 7), data.seed (was 0, now 1), seed (was 0, now 1), " in ended.err
    assert "system.weights.generator.l1 (was 100.0, now 5); resume with the same" in ended.err
    free = ("trainer.workers=1", "trainer.log_every=1", "logger=none", "callbacks.samples.every=4")
    assert here(tmp_path, "resume=last", *free, "runs=" + str(tmp_path)).code == 0


@pytest.mark.parametrize(
    ("resume", "message"),
    [
        ("nowhere", "resume=nowhere is neither a run folder nor a checkpoint"),
        (".", "resume=. is neither a run folder nor a checkpoint"),
        ("{run}/checkpoints/lost.ckpt", "there is no checkpoint {run}/checkpoints/lost.ckpt."),
        ("elsewhere.ckpt", "is neither a run folder nor a checkpoint"),
    ],
)
def test_what_cannot_be_resumed_is_told(dead: Path, resume: str, message: str) -> None:
    run = newest(dead)
    ended = here(dead, f"resume={resume.format(run=run)}")
    assert ended.code == 2
    assert message.format(run=run) in ended.err
    assert list((dead / "smoke").iterdir()) == [run]


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    file.write_bytes(bytes(data))


def empty(file: Path) -> None:
    file.write_bytes(b"")


def foreign(file: Path) -> None:
    torch.save({"state_dict": {}}, file)


@pytest.mark.parametrize("damage", [truncate, flip, empty, foreign])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path: Path, dead: Path, damage: Callable[[Path], None]) -> None:
    shutil.copytree(dead, tmp_path, dirs_exist_ok=True)
    damage(newest(tmp_path) / "checkpoints" / "last.ckpt")
    ended = here(tmp_path, "resume=last")
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "last.ckpt is not a" in ended.err


def test_a_damaged_newest_checkpoint_costs_only_the_time_since_the_one_before(tmp_path: Path) -> None:
    expected = whole(tmp_path / "whole")
    with pytest.raises(Crash):
        here(tmp_path / "cut", *cut(20))
    run = newest(tmp_path / "cut")
    flip(run / "checkpoints" / "last.ckpt")
    ended = here(tmp_path / "cut", "resume=last")
    assert ended.code == 0, ended.err
    assert "The run goes on from the one before it, at 8 images." in ended.err
    assert drift(expected, run) == []
    assert (run / "checkpoints" / "last.ckpt.damaged").is_file()


def test_pictures_that_changed_are_refused(tmp_path: Path, collections: tuple[str, ...]) -> None:
    with pytest.raises(Crash):
        here(tmp_path, *cut(10), base=collections)
    picture = next((tmp_path / "source").iterdir())
    shutil.copy(next((tmp_path / "target").iterdir()), picture)
    ended = here(tmp_path, "resume=last", base=collections)
    assert ended.code == 2
    assert "this run was started with other values of pictures." in ended.err


@pytest.mark.slow
def test_random_draws_of_others_are_restored(tmp_path: Path) -> None:
    dice = ("+callbacks.dice._target_=training.faults.Dice",)
    expected, run = whole(tmp_path / "one", *dice), interrupted(tmp_path / "other", 12, *dice)
    assert drift(expected, run) == []


@pytest.mark.slow
@pytest.mark.parametrize("on", [0, 1])
def test_a_loader_killed_under_two_ranks_ends_both_with_a_sentence_and_they_resume_exactly(
    tmp_path: Path, on: int
) -> None:
    ranks = ("trainer=ddp", "trainer.devices=2", "trainer.accelerator=cpu", "trainer.batch_size=2", "trainer.workers=1")
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    assert train(tmp_path / "one", *ranks).code == 0
    lost = ("+callbacks.lost._target_=training.faults.LostLoader", "+callbacks.lost.at=12", f"+callbacks.lost.on={on}")
    ended = train(tmp_path / "other", *ranks, *lost)
    assert ended.code == 2, ended.err
    assert ended.err.count("a process that loads pictures was killed") == 1, ended.err
    assert train(tmp_path / "other", *ranks, "resume=last").code == 0
    assert drift(newest(tmp_path / "one"), newest(tmp_path / "other")) == []
