"""Every score there is: what it measures, which side it belongs to, and which way is better."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

Side: TypeAlias = Literal["content", "style", "paired", "known_answer", "distribution"]
Better: TypeAlias = Literal["higher", "lower"]


class Score(NamedTuple):
    """What a reader has to know of a number."""

    name: str
    side: Side
    better: Better
    meaning: str
    """One sentence for reports."""


_ALL = (
    Score(
        "edge_correlation",
        "content",
        "higher",
        "Correlation of how strong edges are in the photograph and in the result, at three scales of luminance; 1 is "
        "the photograph itself, 0 has nothing in common with it.",
    ),
    Score(
        "dog_ssim",
        "content",
        "higher",
        "Structural similarity of three bands of detail of the luminance, each brought to one contrast; 1 is the "
        "photograph itself, 0 has nothing in common with it.",
    ),
    Score(
        "self_similarity",
        "content",
        "higher",
        "Whether places of the picture that look alike to a feature network still do (Kolkin et al. 2019); 1 is the "
        "photograph itself.",
    ),
    Score(
        "gram",
        "style",
        "lower",
        "Distance between the two sets of Gram matrices of a feature network, relative to the size of the collection's "
        "own; 0 is the collection itself.",
    ),
    Score(
        "patches",
        "style",
        "lower",
        "Sliced Wasserstein distance between all small patches of both sets at four scales, each patch without its "
        "mean color; 0 is the collection itself.",
    ),
    Score(
        "gabor",
        "style",
        "lower",
        "Distance between the two sets of Gabor energies, by scale and orientation, of light and, but for the finest "
        "scale, of red-green and yellow-blue; 0 is the collection itself.",
    ),
    Score(
        "color",
        "style",
        "lower",
        "Wasserstein distance between all colors of both sets, averaged over thirteen axes of color space; 0 is the "
        "collection itself.",
    ),
    Score(
        "deception",
        "style",
        "higher",
        "Share of results that a classifier, trained to tell the collection from photographs, takes for pictures of "
        "the collection.",
    ),
    Score(
        "fid",
        "distribution",
        "lower",
        "Frechet distance between Gaussians fitted to the features of both sets (Heusel et al. 2017).",
    ),
    Score(
        "frechet",
        "distribution",
        "lower",
        "Frechet distance between Gaussians fitted to the features of both sets, in the network that is named; it "
        "cannot be compared with a published FID.",
    ),
    Score(
        "kid",
        "distribution",
        "lower",
        "Squared maximum mean discrepancy between the features of both sets, without bias (Binkowski et al. 2018); it "
        "may fall below 0 by chance.",
    ),
    Score(
        "precision",
        "distribution",
        "higher",
        "Share of results that lie within the collection in feature space (Kynkaanniemi et al. 2019).",
    ),
    Score(
        "recall",
        "distribution",
        "higher",
        "Share of the collection that lies within the results in feature space (Kynkaanniemi et al. 2019).",
    ),
    Score(
        "density",
        "distribution",
        "higher",
        "How densely the collection lies around the results in feature space (Naeem et al. 2020); about 1 for the "
        "collection itself.",
    ),
    Score(
        "coverage",
        "distribution",
        "higher",
        "Share of the collection that has a result near it in feature space (Naeem et al. 2020).",
    ),
    Score(
        "artfid",
        "distribution",
        "lower",
        "(1 + LPIPS to the photograph) times (1 + FID to the collection) (Wright & Ommer 2022).",
    ),
    Score("l1", "paired", "lower", "Mean absolute difference from the target, of a range of 2."),
    Score("lpips", "paired", "lower", "Learned perceptual distance from the target (Zhang et al. 2018)."),
    Score(
        "feature_distance",
        "paired",
        "lower",
        "Distance from the target in the network that is named, every channel counting the same; it cannot be compared "
        "with a published LPIPS.",
    ),
    Score(
        "label_accuracy",
        "paired",
        "higher",
        "Share of pixels whose color is nearest to the label of the target's pixel.",
    ),
    Score("psnr", "known_answer", "higher", "Peak signal-to-noise ratio to the right answer, in dB."),
    Score("ssim", "known_answer", "higher", "Structural similarity to the right answer (Wang et al. 2004)."),
)

SCORES: Mapping[str, Score] = {score.name: score for score in _ALL}
