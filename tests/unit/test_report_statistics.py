"""Median and range over trials; what is not known stays not known."""

from loadtest.figures.statistics import figure_of, total_of


def test_figure_of_three_trials_is_median_with_range() -> None:
    figure = figure_of([3.0, 1.0, 2.0])
    assert (figure.median, figure.low, figure.high, figure.known, figure.trials) == (2.0, 1.0, 3.0, 3, 3)


def test_figure_leaves_unknown_trials_out_and_counts_them() -> None:
    figure = figure_of([3.0, None, 1.0])
    assert (figure.median, figure.known, figure.trials) == (2.0, 2, 3)


def test_figure_with_no_known_trial_is_unknown_and_never_zero() -> None:
    figure = figure_of([None, None])
    assert figure.median is None
    assert figure.applies
    assert not figure.is_known


def test_figure_of_no_trials_does_not_apply() -> None:
    assert not figure_of([]).applies


def test_figure_of_invalid_trials_alone_is_unknown() -> None:
    figure = figure_of([], left_out=3)
    assert figure.applies
    assert not figure.is_known


def test_total_of_no_known_count_is_none() -> None:
    assert total_of([None]).total is None
    assert total_of([1, None, 2]).total == 3
    assert total_of([1, None, 2]).known == 2
