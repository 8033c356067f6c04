"""Where curves and sample grids go: csv, TensorBoard, Weights & Biases."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from netrc import NetrcParseError, netrc
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
from hydra.utils import instantiate
from PIL import Image as Pillow
from pytorch_lightning import Trainer
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

from ganstyle.errors import ConfigError
from ganstyle.training.folder import logged
from ganstyle.training.launcher import process_number
from ganstyle.values import number, one_of

log = logging.getLogger(__name__)
X_AXIS = "images_seen"


def csv(folder: Path) -> Logger:
    """Rows in `csv/version_<n>/metrics.csv`, one version per start of the run."""
    return CSVLogger(folder, name="csv")


def tensorboard(folder: Path) -> Logger:
    """Event files in `tensorboard/`."""
    try:
        return TensorBoardLogger(folder, name="", version="tensorboard")
    except ModuleNotFoundError as error:
        raise ConfigError(
            "logger=tensorboard needs the package tensorboard; run: pip install 'ganstyle[tensorboard]'."
        ) from error


def wandb(
    folder: Path,
    *,
    project: str = "ganstyle",
    mode: Literal["offline", "online", "disabled"] = "offline",
    timeout: int | float = 20.0,
) -> Logger:
    """Weights & Biases, offline unless asked; without a key or a network it goes on offline and says so.

    Args:
        folder: the run's folder; `wandb sync` uploads an offline run from there.
        project: name of the project.
        mode: offline, online or disabled.
        timeout: seconds that an online start may take before the run goes on offline.
    """
    import wandb as client

    one_of("logger.wandb.mode", mode, ("offline", "online", "disabled"))
    number("logger.wandb.timeout", timeout, least=1)
    os.environ.setdefault("WANDB_DISABLE_CODE", "true")
    os.environ.setdefault("WANDB_SILENT", "true")
    if mode == "online" and not _has_key():
        log.warning(
            "logger=wandb is offline: there is no key; run `wandb login`, then `wandb sync %s`.", folder / "wandb"
        )
        mode = "offline"
    try:
        run = _start(client, folder, project, mode, timeout)
    except Exception as error:  # whatever goes wrong in a service must not cost a run
        reason = str(error).partition("\n")[0]
        log.warning("logger=wandb is offline: the service did not answer (%s); `wandb sync` uploads it later.", reason)
        client.teardown()
        run = _start(client, folder, project, "offline", timeout)
    run.define_metric(X_AXIS)
    run.define_metric("*", step_metric=X_AXIS)
    return WandbLogger(experiment=run, save_dir=folder)


def _has_key() -> bool:
    """Whether a key is where wandb looks for one, without asking wandb, which would ask the user."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").hostname or ""
    file = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        return file.is_file() and netrc(str(file)).authenticators(host) is not None
    except (NetrcParseError, OSError):
        return False


def _start(client: Any, folder: Path, project: str, mode: str, timeout: int | float) -> Any:
    settings = client.Settings(init_timeout=timeout, disable_git=True, console="off")
    name = f"{folder.parent.name}/{folder.name}"
    return client.init(
        project=project, name=name, dir=str(folder), mode=mode, settings=settings, reinit="finish_previous"
    )


def log_metrics(trainer: Trainer, images_seen: int, values: Mapping[str, float]) -> None:
    """Send a row to every logger, with images seen as the x-axis."""
    for logger in trainer.loggers:
        row = dict(values)
        if isinstance(logger, WandbLogger):
            logger.experiment.log({**row, X_AXIS: images_seen})
        else:
            logger.log_metrics({**row, X_AXIS: float(images_seen)}, step=images_seen)
            logger.save()


def log_picture(trainer: Trainer, images_seen: int, name: str, path: Path) -> None:
    """Send a picture file to every logger that shows pictures."""
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            import wandb as client

            logger.experiment.log({name: client.Image(str(path)), X_AXIS: images_seen})
        elif isinstance(logger, TensorBoardLogger):
            pixels = np.asarray(Pillow.open(path).convert("RGB"))
            logger.experiment.add_image(name, pixels, images_seen, dataformats="HWC")


@contextmanager
def opened(configured: Any, folder: Path) -> Iterator[list[Logger]]:
    """Open the run's log and its loggers, on the first rank, and close them however the run ends."""
    if process_number() > 0:
        yield []
        return
    with logged(folder):
        loggers = [_made(name, make, folder) for name, make in instantiate(configured).items() if make is not None]
        status = "failed"
        try:
            yield loggers
            status = "success"
        finally:
            _close(loggers, status)


def _made(name: str, make: Any, folder: Path) -> Logger:
    if not callable(make):
        raise ConfigError(f"logger.{name} is no logger but {make}; see conf/logger for how one is named.")
    logger: Logger = make(folder)
    return logger


def _close(loggers: list[Logger], status: str) -> None:
    """Close every logger, so that the next job of a sweep starts its own."""
    for logger in loggers:
        logger.finalize(status)
        if isinstance(logger, WandbLogger):
            logger.experiment.finish(exit_code=int(status != "success"))
