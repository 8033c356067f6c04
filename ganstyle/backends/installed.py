"""Which packages are there."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def installed_version(package: str) -> str | None:
    """Return the version of a package; None where it is not installed. Looked up once: it takes a millisecond."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
