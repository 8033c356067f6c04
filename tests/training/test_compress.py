"""Lessons are composed as the user says, and a teacher's name stands on the student's card."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from ganstyle import artifact
from ganstyle.errors import ConfigError
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.transform_net import TransformNet
from ganstyle.nn.unet import UNet
from ganstyle.training.compress import Lesson, chosen, configured, taught, teacher
from ganstyle.training.provenance import teacher_seen


@pytest.fixture
def lesson(tmp_path: Path) -> Any:
    """Makes lessons by a tiny teacher."""
    artifact.save(ResNet(blocks=1, channels=4), tmp_path / "teacher", styles=("ink",), licence="MIT")

    def make(**changes: Any) -> Lesson:
        given = {"student": {"blocks": 1, "channels": 4}, "images": 8} | changes
        return Lesson(tmp_path / "teacher", tmp_path / "photographs", tmp_path / "run", **given)

    return make


def test_a_lesson_is_the_written_recipe_with_its_own_teacher_student_and_budget(lesson: Any) -> None:
    config = configured(lesson(pace=0.5))
    plain: Any = OmegaConf.to_container(config, resolve=True)
    assert plain["system"]["method"]["_target_"] == "ganstyle.methods.distill.Distill"
    assert plain["system"]["method"]["teacher"]["artifact"].endswith("teacher")
    assert plain["system"]["method"]["generator"] == {"_target_": "ganstyle.nn.light.Light", "blocks": 1, "channels": 4}
    assert plain["system"]["optimizers"]["generator"]["lr"] == 0.0005
    assert plain["trainer"]["max_images"] == 8
    assert plain["callbacks"]["validation"]["every"] == 2
    assert plain["callbacks"]["health"] is None


def test_what_the_user_says_goes_before_what_a_lesson_takes_by_itself(lesson: Any) -> None:
    told = lesson(
        overrides=("method=distill_gan", "trainer.batch_size=2", "trainer.accelerator=cpu", "callbacks.samples.every=7")
    )
    assert chosen(told)[:2] == ["generator=light", "data=photographs"]
    config = configured(told)
    assert config.trainer.batch_size == 2
    assert config.trainer.accelerator == "cpu"
    assert (config.callbacks.samples.every, config.callbacks.validation.every) == (7, 2)
    assert set(config.system.weights) == {"generator", "discriminator"}
    assert config.system.method.discriminator._target_.endswith("PatchGAN")


@pytest.mark.parametrize(
    ("override", "owner"),
    [
        ("generator.blocks=4", "--target"),
        ("generator=resnet9", "--target"),
        ("data.folder=elsewhere", "--data"),
        ("trainer.max_images=9", "--images"),
        ("system.method.teacher.artifact=other", "ARTIFACT"),
    ],
)
def test_what_a_lesson_decides_by_itself_is_refused(override: str, owner: str, lesson: Any) -> None:
    with pytest.raises(ConfigError, match=f"has no say in a lesson: {owner} decides"):
        configured(lesson(overrides=(override,)))


def test_crops_are_of_a_size_that_the_teacher_takes(lesson: Any, tmp_path: Path) -> None:
    artifact.save(UNet(depth=6, channels=2), tmp_path / "teacher")
    config = configured(lesson(overrides=("data.crop=100",)))
    assert (config.data.crop, config.data.view) == (128, 256)


def test_a_teacher_without_taps_teaches_by_its_pictures_alone(lesson: Any, tmp_path: Path) -> None:
    artifact.save(TransformNet(), tmp_path / "teacher")
    assert set(configured(lesson()).system.weights.generator) == {"l1", "perceptual", "style"}


def test_gradients_are_bounded_where_there_are_no_norms(lesson: Any, tmp_path: Path) -> None:
    assert configured(lesson()).system.clip is None
    artifact.save(ResNet(blocks=1, channels=4, norm="none"), tmp_path / "teacher")
    assert configured(lesson()).system.clip == 1.0
    assert configured(lesson(overrides=("system.clip=0.5",))).system.clip == 0.5


def test_a_lesson_goes_on_from_an_artifact_and_resumes_only_what_has_begun(lesson: Any, tmp_path: Path) -> None:
    further = configured(lesson(student=tmp_path / "teacher", resume=True))
    assert further.generator == {"_target_": "ganstyle.interop.start.generator", "path": str(tmp_path / "teacher")}
    assert further.resume is None
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("")
    assert configured(lesson(resume=True)).resume == str(tmp_path / "run")


def test_a_misspelt_key_is_told_in_one_sentence_with_the_nearest_name(lesson: Any) -> None:
    with pytest.raises(ConfigError, match=r"max_imgaes") as caught:
        taught(lesson(overrides=("trainer.max_imgaes=3",)))
    assert "\n" not in str(caught.value)


def test_without_a_teacher_it_says_what_to_give() -> None:
    with pytest.raises(ConfigError, match=r"give system\.method\.teacher\.artifact=FOLDER"):
        teacher(None)


def test_a_teacher_is_named_by_the_hash_of_its_weights(lesson: Any, tmp_path: Path) -> None:
    card = artifact.read_card(tmp_path / "teacher")
    seen = teacher_seen({"teacher": {"artifact": str(tmp_path / "teacher")}})["teacher"]
    assert seen["weights_sha256"] == card.weights_sha256
    assert (seen["network"], seen["licence"]) == ("resnet", "MIT")
    assert teacher_seen({"generator": None}) == {}
    assert teacher_seen({"teacher": None}) == {}
