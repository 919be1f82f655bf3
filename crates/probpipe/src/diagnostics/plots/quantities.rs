//! What draws say of quantities: where each lies, and how two go together.

use super::super::draws::{Chains, Draws};
use super::super::hdi::interval;
use super::super::moments::sorted;
use super::super::sums;
use super::density::density;
use super::{Named, named, row};
use crate::record::Record;
use probpipe_plot::{Figure, Plot};
use probpipe_trace::{Array, Error, ErrorKind, Result, here};

/// Most quantities of a forest, and of one panel of it.
const MOST: usize = 240;
const PANEL: usize = 24;
/// Most quantities of which each is drawn against each.
const PAIRED: usize = 6;
/// About how many draws are points of a panel.
const POINTS: usize = 500;

/// The intervals of highest density that hold 94% and 50% of the draws of each quantity, and its
/// mean: all quantities under each other, on one scale.
///
/// # Errors
/// As [`trace`](super::trace).
#[track_caller]
pub fn forest(draws: &Record) -> Result<Figure> {
    let all = named("forest", draws, MOST)?;
    Ok(Figure::row(all.chunks(PANEL).map(|some| {
        let (mut thin, mut thick, mut means) = (Vec::new(), Vec::new(), Vec::new());
        for Named { chains, .. } in some {
            let sorted = sorted(&chains.values);
            thin.push(interval(&sorted, 0.94));
            thick.push(interval(&sorted, 0.5));
            means.push(sums::mean(&chains.values));
        }
        // The first is the topmost.
        let place = |i: usize| (some.len() - 1 - i) as f64;
        let places = |off: f64| {
            row((0..some.len()).flat_map(|i| [place(i) + off, place(i) + off, f64::NAN]))
        };
        let ends =
            |all: &[[f64; 2]]| row(all.iter().flat_map(|&[low, high]| [low, high, f64::NAN]));
        Plot::new("")
            .line(&ends(&thin), &places(0.0))
            .band(&ends(&thick), &places(-0.2), &places(0.2))
            .same_color()
            .scatter(&row(means), &row((0..some.len()).map(place)))
            .y_names(some.iter().rev().map(|quantity| quantity.name.as_str()))
            .x_label("mean, and 50% and 94% hdi")
    })))
}

/// Draws of each quantity against those of each other, at most six, and the density of each. Of
/// many draws some are shown, and all of those that `diverging` marks: an array `[chains, draws]`
/// of truth values as the statistics of a run have it, or `None`. Where these gather the sampler
/// could not follow the density.
///
/// ```
/// use probpipe::diagnostics::plots;
/// use probpipe::prelude::*;
/// let draws = Record::new([("x", normal(Key::new(0), [4, 500, 2]))]);
/// let diverging = draws["x"].min_axes(-1).lt(-2.5);
/// assert!(plots::pair(&draws, &diverging).is_ok());
/// assert!(plots::pair(&draws, None).is_ok());
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// As [`trace`](super::trace); marks of another shape.
#[track_caller]
pub fn pair<'a>(draws: &Record, diverging: impl Into<Option<&'a Array>>) -> Result<Figure> {
    let all = named("pair", draws, PAIRED)?;
    let marks = match diverging.into() {
        Some(marks) => marked(marks, &all)?,
        None => Vec::new(),
    };
    let is_marked = |i: usize| marks.get(i).copied().unwrap_or(false);
    let few = |chains: &Chains| {
        let every = chains.values.len().div_ceil(POINTS).max(1);
        row(chains.values.iter().copied().step_by(every))
    };
    let some = |chains: &Chains| {
        let marked = chains.values.iter().enumerate().filter(|(i, _)| is_marked(*i));
        row(marked.map(|(_, &x)| x))
    };
    let mut panels = Vec::new();
    for (i, down) in all.iter().enumerate() {
        for (j, across) in all.iter().enumerate() {
            let plot = Plot::new("").x_label(&across.name);
            if i == j {
                let (x, y) = density(&across.chains.values);
                panels.push(plot.line(&x, &y).y_label("density"));
                continue;
            }
            let (x, y) = (&across.chains, &down.chains);
            let mut plot = plot.y_label(&down.name).scatter(&few(x), &few(y)).fine();
            if marks.contains(&true) {
                plot = plot.scatter(&some(x), &some(y));
                if (i, j) == (0, 1) {
                    plot = plot.label("diverging");
                }
            }
            panels.push(plot);
        }
    }
    Ok(Figure::grid(all.len().max(1), panels))
}

/// The marks, one for each draw.
#[track_caller]
fn marked(marks: &Array, all: &[Named]) -> Result<Vec<bool>> {
    let read = Draws::read_any("pair", marks)?;
    let shape = [read.chains(), read.draws()];
    let fits = |q: &Named| [q.chains.count(), q.chains.draws] == shape && read.shape().is_empty();
    if let Some(other) = all.iter().find(|q| !fits(q)) {
        let wanted = [other.chains.count(), other.chains.draws];
        let message =
            format!("`pair` takes marks {wanted:?} for `{}`, not {}", other.name, marks.ty()?);
        return Err(Error::new(ErrorKind::Shape, message)
            .at(here())
            .note("the marks were made", Some(marks.location()))
            .help("there is one for each chain and draw"));
    }
    Ok(read.rows().map(|row| row.iter().any(|&mark| mark != 0.0)).collect())
}
