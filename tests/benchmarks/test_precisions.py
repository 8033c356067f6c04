from benchmarks.precisions import compared


def test_means_of_both_precisions_are_compared() -> None:
    runs = [{"precision": kind, "psnr": value} for kind, value in (("32", 23.0), ("auto", 23.5), ("32", 24.0))]
    found = compared([*runs, {"precision": "auto", "psnr": 22.7}])
    assert found == {"psnr": {"32": 23.5, "auto": 23.1}, "apart": -0.4, "at_most": 0.3, "met": False}
