"""One file over HTTP, gone on with where an earlier try broke off."""

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPResponse
from pathlib import Path

from ganstyle.errors import FetchError

CHUNK = 1 << 18
TIMEOUT_SECONDS = 30.0
TRIES = 3
Progress = Callable[[int, int | None], None]
"""Told after every piece: bytes so far, and bytes in all where the server says."""
Broken = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)


def download(urls: Sequence[str], file: Path, progress: Progress, *, pause: float = 1.0) -> str:
    """Bring the first archive that one of the urls gives into `file`.

    Until it is whole it grows in `file.part`; a later call asks for the rest only, and starts anew if the server's
    copy has changed (If-Range) or the server cannot send a part. A broken connection is tried again, `pause` seconds
    later at first. Returns the url that gave it; raises FetchError when nothing more arrives from any.
    """
    failures = []
    for url in urls:
        try:
            _with_patience(url, file, progress, pause)
        except Broken as error:
            failures.append(f"{url}: {_reason(error)}")
        else:
            return url
    have = _size(_part(file))
    kept = f"; {have / 1e6:.1f} MB are kept, and the same command goes on from there" if have else ""
    raise FetchError(f"{file.name} did not arrive ({'; '.join(failures)}); check the connection and try again{kept}.")


def _with_patience(url: str, file: Path, progress: Progress, pause: float) -> None:
    """Ask until the file is whole; give up after `TRIES` breaks in a row that brought nothing new."""
    idle = 0
    while True:
        before = _size(_part(file))
        try:
            _once(url, file, progress)
            return
        except Broken as error:
            if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                raise
            idle = 0 if _size(_part(file)) > before else idle + 1
            if idle >= TRIES:
                raise
            time.sleep(pause * 2 ** max(0, idle - 1))


def _once(url: str, file: Path, progress: Progress) -> None:
    """Send one request and write what comes; the file is renamed into place if it is whole."""
    part, validator = _part(file), _validator(file)
    have = _size(part) if validator.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "ganstyle"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", validator.read_text())
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            _receive(answer, file, have, progress)
    except urllib.error.HTTPError as error:
        if not (have and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE):
            raise
        _settle_excess(error, part, have)
    part.replace(file)
    validator.unlink(missing_ok=True)


def _settle_excess(error: urllib.error.HTTPError, part: Path, have: int) -> None:
    """The server has no bytes beyond ours: either the part is whole, or it is not part of this file and is dropped."""
    if error.headers.get("Content-Range") != f"bytes */{have}":
        part.unlink()
        raise ConnectionError("the server's file is shorter than the part that is here") from error


def _receive(answer: HTTPResponse, file: Path, have: int, progress: Progress) -> None:
    """Append a partial answer to the part, or replace the part by a full one; ConnectionError if it ends early."""
    have = _start(answer, file, have)
    total = _total(answer, have)
    _remember(answer, _validator(file))
    with _part(file).open("ab" if have else "wb") as part:
        while piece := answer.read(CHUNK):
            part.write(piece)
            have += len(piece)
            progress(have, total)
    if total is not None and have != total:
        raise ConnectionError(f"the connection ended after {have} of {total} bytes")


def _start(answer: HTTPResponse, file: Path, have: int) -> int:
    """At which byte the answer begins: where the part ends, or at 0 when the server sends everything again."""
    if answer.status != http.client.PARTIAL_CONTENT:
        return 0
    if not (answer.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
        _part(file).unlink(missing_ok=True)
        raise ConnectionError("the server sent another part than it was asked for")
    return have


def _total(answer: HTTPResponse, have: int) -> int | None:
    length = answer.headers.get("Content-Length")
    return have + int(length) if length else None


def _remember(answer: HTTPResponse, validator: Path) -> None:
    """Keep what names the server's copy: a strong ETag, or else its date; without either nothing can be resumed."""
    tag = answer.headers.get("ETag")
    strong = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified")
    if strong:
        validator.write_text(strong)
    else:
        validator.unlink(missing_ok=True)


def _part(file: Path) -> Path:
    return file.with_name(file.name + ".part")


def _validator(file: Path) -> Path:
    return file.with_name(file.name + ".part.version")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error or type(error).__name__)
