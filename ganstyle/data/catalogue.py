"""The public data sets that `ganstyle fetch` knows: where they live, how large they are, their licence.

Sizes and SHA-256 sums of the CycleGAN archives are the ones that TensorFlow Datasets publishes (in its file
url_checksums/cycle_gan.txt); nobody publishes sums for the pix2pix archives, so theirs are recorded at the first
download and verified from then on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ganstyle.errors import FetchError, unknown

HOST = "efrosgans.eecs.berkeley.edu"
PAINTINGS = "paintings from WikiArt (the works are in the public domain), photographs from Flickr of unstated licence"
IMAGENET = "pictures from ImageNet: non-commercial research and education"
FLICKR = "photographs from Flickr of unstated licence: research only"
LAYOUTS: Mapping[str, tuple[str, ...]] = {"unpaired": ("trainA", "trainB"), "paired": ("train",)}
"""The folders that a data set of each layout cannot do without."""


@dataclass(frozen=True)
class Collection:
    """A data set that can be fetched as one archive."""

    name: str
    about: str
    layout: Literal["unpaired", "paired"]
    licence: str
    urls: tuple[str, ...]
    """The same archive in several places, the preferred one first."""
    size: int | None = None
    """Bytes of the archive, where it is known."""
    sha256: str | None = None
    """Of the archive; None where nobody publishes it."""

    @property
    def archive(self) -> str:
        """The archive's file name."""
        return self.urls[0].rsplit("/", 1)[-1]


def collection(name: str) -> Collection:
    """Look a data set up; raises FetchError that suggests the nearest name."""
    if name not in CATALOGUE:
        raise FetchError(unknown("data set", name, CATALOGUE))
    return CATALOGUE[name]


def _cyclegan(name: str, about: str, licence: str, size: int, sha256: str) -> Collection:
    """A set of Zhu et al. 2017: folders trainA, trainB, testA, testB."""
    path = f"{HOST}/cyclegan/datasets/{name}.zip"
    return Collection(name, about, "unpaired", licence, (f"https://{path}", f"http://{path}"), size, sha256)


def _pix2pix(name: str, about: str, licence: str, size: int | None = None) -> Collection:
    """A set of Isola et al. 2017: both halves of a pair in one file, A left and B right."""
    path = f"{HOST}/pix2pix/datasets/{name}.tar.gz"
    return Collection(name, about, "paired", licence, (f"https://{path}", f"http://{path}"), size)


_COLLECTIONS = (
    _cyclegan(
        "vangogh2photo",
        "400 paintings by Van Gogh (A), 6,287 photographs (B) to train on",
        PAINTINGS,
        306_590_349,
        "362c3473e70be0944bda08d49d660eafdc2854df55d697835b8186d1d79caaff",
    ),
    _cyclegan(
        "monet2photo",
        "1,072 paintings by Monet (A), 6,287 photographs (B) to train on",
        PAINTINGS,
        305_231_073,
        "88f91b00fc228f97c9411fbf1880ec1d119c98f1722e4cfcfaa2fb35fac05b04",
    ),
    _cyclegan(
        "cezanne2photo",
        "525 paintings by Cezanne (A), 6,287 photographs (B) to train on",
        PAINTINGS,
        279_885_071,
        "3a6c10ca21f9485862f1cbd707744b9dc258954a04631271d23a3605eeb63cff",
    ),
    _cyclegan(
        "ukiyoe2photo",
        "562 ukiyo-e prints (A), 6,287 photographs (B) to train on",
        PAINTINGS,
        292_946_532,
        "02a2a2fb5ecf425ca1bf86aca7304377da64a2a1d3b86df54eb65e4068bf3b08",
    ),
    _cyclegan(
        "horse2zebra",
        "1,067 horses (A), 1,334 zebras (B) to train on",
        IMAGENET,
        116_867_962,
        "a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1",
    ),
    _cyclegan(
        "apple2orange",
        "995 apples (A), 1,019 oranges (B) to train on",
        IMAGENET,
        78_456_409,
        "845a191e9af8926408ea597001cd03a452e3300a1f44a79fe329b3d59f6e3eb8",
    ),
    _cyclegan(
        "summer2winter_yosemite",
        "1,231 summers (A), 962 winters (B) of Yosemite to train on",
        FLICKR,
        132_640_856,
        "167fe1726807a9d22bd106b4a6c0bd7953b688af924ac1bf967439c4961e49f9",
    ),
    _cyclegan(
        "iphone2dslr_flower",
        "1,812 phone pictures (A), 3,325 camera pictures (B) of flowers to train on",
        FLICKR,
        339_964_458,
        "8fcb5e374d631b107e1d961b8c4cd0a186aa2a4ff3e279923f4c426128de7113",
    ),
    _pix2pix("maps", "1,096 aerial photographs (A) with their maps (B)", "Google Maps: no open licence", 250_242_400),
    _pix2pix("facades", "400 facades (A) with their labels (B)", "CMP Facade Database: cite Tylecek 2013", 30_168_306),
    _pix2pix("edges2shoes", "about 50,000 edge drawings (A) of shoes (B)", "UT Zappos50K: non-commercial research"),
    _pix2pix(
        "edges2handbags", "about 137,000 edge drawings (A) of handbags (B)", "product pictures of unstated licence"
    ),
    _pix2pix("night2day", "about 20,000 pairs of night and day", "Transient Attributes: cite Laffont et al. 2014"),
)

CATALOGUE: Mapping[str, Collection] = {entry.name: entry for entry in _COLLECTIONS}
"""Every data set by name."""
