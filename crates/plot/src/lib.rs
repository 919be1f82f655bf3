//! Figures of arrays: lines, points, bands, histograms and contours, as SVG or PNG, with no system
//! libraries. Nothing here knows of distributions: it draws the numbers that it is given.
//!
//! ```no_run
//! use probpipe_plot::{Figure, Plot};
//! use probpipe_trace::linspace;
//!
//! let xs = linspace(0.0, 4.0, 200);
//! let scores = (2.0 - &xs) * 4.0;
//! Figure::row([
//!     Plot::new("Curve").line(&xs, &(&xs * &xs)).x_label("x").y_label("x²"),
//!     Plot::new("Score function").line(&xs, &scores).label("score").vline(2.0).label("mean"),
//! ])
//! .save("figures/score.png")?;
//! # Ok::<(), probpipe_trace::Error>(())
//! ```
//!
//! What does not fit (arrays of different lengths, a traced array, an invalid one) is remembered
//! and comes out at `save`, located at the call that was given it. Points that are not finite
//! are skipped; a line is interrupted there.

#![forbid(unsafe_code)]

mod contour;
mod draw;
mod legend;
mod scale;
mod series;
#[cfg(test)]
mod tests;

use contour::Grid;
use draw::{PIXELS, cut_dashes, scene};
use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use probpipe_trace::{Array, Error, ErrorKind, Loc, Result};
use scale::{drawable, outline};
use series::{Kind, Series};
use std::panic::Location;
use std::path::Path;

/// Most bins of a histogram.
const MOST_BINS: usize = 10_000;

/// One panel: a title, series, and reference lines.
#[derive(Clone, Debug)]
pub struct Plot {
    title: String,
    x_label: Option<String>,
    y_label: Option<String>,
    /// What 0, 1, 2 on the vertical axis stand for.
    y_names: Vec<String>,
    series: Vec<Series>,
    /// The first thing that went wrong.
    error: Option<Error>,
}

impl Plot {
    /// An empty plot.
    pub fn new(title: impl Into<String>) -> Plot {
        Plot {
            title: printable(title.into()),
            x_label: None,
            y_label: None,
            y_names: Vec::new(),
            series: Vec::new(),
            error: None,
        }
    }

    /// A line through the points `(xs[i], ys[i])`.
    #[track_caller]
    pub fn line(self, xs: &Array, ys: &Array) -> Plot {
        self.add(Kind::Line, pairs("line", xs, ys))
    }

    /// A dashed line through the points `(xs[i], ys[i])`.
    #[track_caller]
    pub fn dashed(self, xs: &Array, ys: &Array) -> Plot {
        self.add(Kind::Dashed, pairs("dashed", xs, ys))
    }

    /// The points `(xs[i], ys[i])`.
    #[track_caller]
    pub fn scatter(self, xs: &Array, ys: &Array) -> Plot {
        self.add(Kind::Scatter, pairs("scatter", xs, ys))
    }

    /// The area between the points `(xs[i], low[i])` and `(xs[i], high[i])`.
    ///
    /// ```no_run
    /// use probpipe_plot::Plot;
    /// use probpipe_trace::linspace;
    /// let x = linspace(0.0, 1.0, 50);
    /// let mean = (&x * 6.0).sin();
    /// Plot::new("A mean with a band around it")
    ///     .line(&x, &mean)
    ///     .label("mean")
    ///     .band(&x, &(&mean - 0.2), &(&mean + 0.2))
    ///     .same_color()
    ///     .save("figures/band.svg")?;
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn band(self, xs: &Array, low: &Array, high: &Array) -> Plot {
        let (low, high) = (pairs("band", xs, low), pairs("band", xs, high));
        let points = low.and_then(|low| Ok(around(&low, &high?)));
        self.add(Kind::Band, points)
    }

    /// A histogram of `xs`, scaled to area 1 so that it compares with a density.
    #[track_caller]
    pub fn histogram(self, xs: &Array, bins: usize) -> Plot {
        let at = Location::caller();
        let outline = elements("histogram", xs).and_then(|data| {
            if (1..=MOST_BINS).contains(&bins) {
                return Ok(outline(&data, bins));
            }
            Err(Error::new(ErrorKind::Value, format!("a histogram cannot have {bins} bins"))
                .at(at)
                .help(format!("give a number of bins from 1 to {MOST_BINS}")))
        });
        self.add(Kind::Histogram, outline)
    }

    /// Lines of equal height of `zs[i, j]` over `(xs[j], ys[i])`, at `levels` heights that divide
    /// the range of `zs` evenly.
    #[track_caller]
    pub fn contour(self, xs: &Array, ys: &Array, zs: &Array, levels: usize) -> Plot {
        self.level_lines("contour", Kind::Line, (xs, ys, zs), levels)
    }

    /// As [`Plot::contour`], dashed.
    #[track_caller]
    pub fn dashed_contour(self, xs: &Array, ys: &Array, zs: &Array, levels: usize) -> Plot {
        self.level_lines("dashed_contour", Kind::Dashed, (xs, ys, zs), levels)
    }

    /// Bands of colour between `levels` heights of `zs[i, j]` over `(xs[j], ys[i])`.
    #[track_caller]
    pub fn filled_contour(mut self, xs: &Array, ys: &Array, zs: &Array, levels: usize) -> Plot {
        let grid = grid("filled_contour", xs, ys, zs);
        self = self.add(Kind::Filled, grid.as_ref().map(Grid::corners).map_err(Error::clone));
        if let (Some(series), Ok(grid)) = (self.series.last_mut(), grid) {
            series.bands = Some((grid, levels));
        }
        self
    }

    /// A dashed horizontal line across the plot.
    #[track_caller]
    pub fn hline(self, y: impl Into<f64>) -> Plot {
        self.add(Kind::Horizontal, Ok(vec![(f64::NAN, y.into())]))
    }

    /// A dashed vertical line across the plot.
    #[track_caller]
    pub fn vline(self, x: impl Into<f64>) -> Plot {
        self.add(Kind::Vertical, Ok(vec![(x.into(), f64::NAN)]))
    }

    /// Names the series added last, which puts it in the legend.
    #[track_caller]
    pub fn label(self, label: impl Into<String>) -> Plot {
        let label = printable(label.into());
        self.last("label", |series| series.label = Some(label))
    }

    /// Draws the series added last in the colour of the one before it.
    #[track_caller]
    pub fn same_color(self) -> Plot {
        self.last("same_color", |series| series.shared = true)
    }

    /// Draws the series added last with fine lines or small points, for many of them.
    #[track_caller]
    pub fn fine(self) -> Plot {
        self.last("fine", |series| series.fine = true)
    }

    /// Writes names in place of the numbers 0, 1, 2 and so on, from the bottom up, on the vertical
    /// axis, which has room for just these.
    pub fn y_names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Plot {
        self.y_names = names.into_iter().map(|name| printable(name.into())).collect();
        self
    }

    /// Names the horizontal axis.
    pub fn x_label(mut self, label: impl Into<String>) -> Plot {
        self.x_label = Some(printable(label.into()));
        self
    }

    /// Names the vertical axis.
    pub fn y_label(mut self, label: impl Into<String>) -> Plot {
        self.y_label = Some(printable(label.into()));
        self
    }

    /// Writes the plot to a file, `.svg` or `.png` by its extension, as [`Figure::save`] does.
    #[track_caller]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save(std::slice::from_ref(self), 1, path.as_ref())
    }

    #[track_caller]
    fn level_lines(
        self,
        call: &str,
        kind: Kind,
        (xs, ys, zs): (&Array, &Array, &Array),
        levels: usize,
    ) -> Plot {
        let lines = grid(call, xs, ys, zs).map(|grid| {
            let heights = grid.levels(levels);
            let lines = heights.into_iter().flat_map(|level| grid.lines(level));
            // A point that is none ends each line.
            lines.flat_map(|line| line.into_iter().chain([(f64::NAN, f64::NAN)])).collect()
        });
        self.add(kind, lines)
    }

    fn add(mut self, kind: Kind, points: Result<Vec<(f64, f64)>>) -> Plot {
        let points = points.unwrap_or_else(|error| {
            self.error.get_or_insert(error);
            Vec::new()
        });
        let (label, bands) = (None, None);
        self.series.push(Series { kind, points, label, bands, shared: false, fine: false });
        self
    }

    /// Changes the series added last.
    #[track_caller]
    fn last(mut self, call: &str, change: impl FnOnce(&mut Series)) -> Plot {
        match self.series.last_mut() {
            Some(series) => change(series),
            None => {
                let error = Error::new(ErrorKind::Value, format!("there is no series to `{call}`"))
                    .at(Location::caller())
                    .help(format!("call `{call}` after `line`, `scatter` or another series"));
                self.error.get_or_insert(error);
            }
        }
        self
    }
}

/// Several plots side by side.
#[derive(Clone, Debug)]
pub struct Figure {
    plots: Vec<Plot>,
    columns: usize,
}

impl Figure {
    /// The plots in one row, from left to right.
    pub fn row(plots: impl IntoIterator<Item = Plot>) -> Figure {
        let plots: Vec<Plot> = plots.into_iter().collect();
        Figure { columns: plots.len(), plots }
    }

    /// The plots in rows of so many, from left to right and from top to bottom.
    pub fn grid(columns: usize, plots: impl IntoIterator<Item = Plot>) -> Figure {
        Figure { plots: plots.into_iter().collect(), columns }
    }

    /// Writes the figure to a file, `.svg` or `.png` by its extension; creates missing folders
    /// on the way. A panel measures 500 by 350 units; a PNG has two pixels per unit.
    ///
    /// Reports the first thing that went wrong while the plots were made.
    #[track_caller]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save(&self.plots, self.columns, path.as_ref())
    }
}

/// The elements of an array of rank 1.
#[track_caller]
fn elements(call: &str, array: &Array) -> Result<Vec<f64>> {
    let at = Location::caller();
    let note = |error: Error| error.at(at).note(format!("`{call}` read it"), Some(at));
    let scalars = array.value().and_then(|value| value.to_scalars()).map_err(note)?;
    if array.rank() != 1 {
        let shape = array.shape();
        return Err(Error::new(
            ErrorKind::Shape,
            format!("`{call}` takes arrays of rank 1, not one of shape {shape:?}"),
        )
        .at(at)
        .note("the array was made", Some(array.location()))
        .help("plot a row or a column of it, or reshape it to one axis"));
    }
    Ok(scalars.into_iter().map(|scalar| scalar.as_f64()).collect())
}

#[track_caller]
fn pairs(call: &str, xs: &Array, ys: &Array) -> Result<Vec<(f64, f64)>> {
    let (x, y) = (elements(call, xs)?, elements(call, ys)?);
    if x.len() != y.len() {
        return Err(Error::new(
            ErrorKind::Shape,
            format!(
                "`{call}` takes two arrays of one length, not of lengths {} and {}",
                x.len(),
                y.len()
            ),
        )
        .at(Location::caller())
        .note("the first was made", Some(xs.location()))
        .note("the second was made", Some(ys.location()))
        .help("give one `y` for every `x`"));
    }
    Ok(x.into_iter().zip(y).collect())
}

/// The outlines of the area between two lines over the same abscissas: there along the lower one,
/// back along the upper one, and a point that is none behind each part.
fn around(low: &[(f64, f64)], high: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let both: Vec<_> = low.iter().zip(high).collect();
    let drawn = |(a, b): &(&(f64, f64), &(f64, f64))| [a.0, a.1, b.1].iter().all(|&v| drawable(v));
    let parts = both.split(|pair| !drawn(pair)).filter(|part| !part.is_empty());
    parts
        .flat_map(|part| {
            let there = part.iter().map(|pair| *pair.0);
            let back = part.iter().rev().map(|pair| *pair.1);
            there.chain(back).chain([(f64::NAN, f64::NAN)]).collect::<Vec<_>>()
        })
        .collect()
}

/// Heights over a grid, `zs[i, j]` at `(xs[j], ys[i])`.
#[track_caller]
fn grid(call: &str, xs: &Array, ys: &Array, zs: &Array) -> Result<Grid> {
    let (x, y) = (elements(call, xs)?, elements(call, ys)?);
    if zs.value()?.ty().shape[..] != [y.len(), x.len()] {
        let shape = zs.shape();
        return Err(Error::new(
            ErrorKind::Shape,
            format!("`{call}` takes heights of shape [{}, {}], not {shape:?}", y.len(), x.len()),
        )
        .at(Location::caller())
        .note("the heights were made", Some(zs.location()))
        .help("give one row for every `y` and one column for every `x`"));
    }
    let heights = elements(call, &zs.flatten())?;
    let z = heights.chunks(x.len().max(1)).map(<[f64]>::to_vec).collect();
    Ok(Grid { x, y, z })
}

/// Text without the control characters that an SVG cannot hold.
fn printable(text: String) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

#[track_caller]
fn save(plots: &[Plot], columns: usize, path: &Path) -> Result<()> {
    let at: Loc = Location::caller();
    if let Some(error) = plots.iter().find_map(|p| p.error.clone()) {
        return Err(error);
    }
    let fault = |kind, message: String| Error::new(kind, message).at(at);
    if plots.is_empty() {
        return Err(fault(ErrorKind::Value, "a figure without plots has nothing to save".into())
            .help("give `Figure::row` at least one plot"));
    }
    if columns == 0 {
        return Err(fault(
            ErrorKind::Value,
            "a figure of no columns has no place for plots".into(),
        )
        .help("give `Figure::grid` at least one column"));
    }
    let shown = path.display();
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let bytes = match &*extension {
        "svg" => SvgBackend::new().render_scene(&scene(plots, columns)).into_bytes(),
        "png" => {
            let mut scene = scene(plots, columns);
            cut_dashes(&mut scene);
            RasterBackend::new().with_scale(PIXELS).render_scene(&scene).map_err(|reason| {
                fault(ErrorKind::Io, format!("cannot draw `{shown}`: {reason}"))
                    .help("save it as `.svg`")
            })?
        }
        _ => {
            return Err(fault(
                ErrorKind::Value,
                format!("cannot tell from `{shown}` what kind of figure to write"),
            )
            .help("end the name in `.svg` or `.png`"));
        }
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(path, bytes))
        .map_err(|reason| {
            fault(ErrorKind::Io, format!("cannot write `{shown}`: {reason}"))
                .help("check that its folder can be made and written to")
        })
}
