"""The configuration that train.py would compose, without running it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from ganstyle.errors import ConfigError, GanstyleError
from ganstyle.training import mistakes
from ganstyle.training.folder import conf_folder


def composed(overrides: Sequence[str]) -> DictConfig:
    """Compose a configuration; raises ConfigError, in one sentence, for an override that does not fit."""
    with in_one_sentence(), initialize_config_dir(str(conf_folder()), version_base="1.3"):
        config: DictConfig = compose("train", [*overrides])
    return config


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Tell a wrong configuration as train.py does.

    Raises:
        ConfigError: what was wrong with it.
    """
    try:
        yield
    except GanstyleError:
        raise
    except Exception as error:
        if (told := mistakes.sentence(error)) is None:
            raise
        raise ConfigError(told) from error
