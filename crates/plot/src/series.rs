//! One series of a plot: its points, and the runs of them that can be drawn. How they look is not
//! said here.

use super::contour::Grid;
use super::scale::{Axis, drawable};

#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) kind: Kind,
    /// The points, not finite ones included.
    pub(super) points: Vec<(f64, f64)>,
    pub(super) label: Option<String>,
    /// The heights and how many bands, of a filled contour.
    pub(super) bands: Option<(Grid, usize)>,
    /// Whether it has the colour of the series before it.
    pub(super) shared: bool,
    /// Whether its lines are fine and its points small.
    pub(super) fine: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Kind {
    Line,
    Dashed,
    Scatter,
    /// Outlines of areas: as many points along the lower line as then back along the upper one.
    Band,
    /// The outline of the bars, from the left end of the base to the right one.
    Histogram,
    /// Bands of colour between the levels of a grid, whose corners are the points.
    Filled,
    /// At the height of its one point.
    Horizontal,
    /// At the abscissa of its one point.
    Vertical,
}

impl Kind {
    pub(super) fn is_reference(self) -> bool {
        matches!(self, Kind::Horizontal | Kind::Vertical)
    }
}

/// The drawable runs of a series in axis units; a reference line runs across the plot.
pub(super) fn runs(series: &Series, x: &Axis, y: &Axis) -> Vec<Vec<(f64, f64)>> {
    match (series.kind, series.points.first()) {
        (Kind::Horizontal, Some(&(_, at))) if drawable(at) => {
            vec![vec![(x.lo, y.map(at)), (x.hi, y.map(at))]]
        }
        (Kind::Vertical, Some(&(at, _))) if drawable(at) => {
            vec![vec![(x.map(at), y.lo), (x.map(at), y.hi)]]
        }
        (Kind::Horizontal | Kind::Vertical, _) => Vec::new(),
        _ => series
            .points
            .split(|&(px, py)| !drawable(px) || !drawable(py))
            .filter(|run| !run.is_empty())
            .map(|run| run.iter().map(|&(px, py)| (x.map(px), y.map(py))).collect())
            .collect(),
    }
}
