//! Checks of a sampler and of a model: whether momenta reach all energies, and whether data that
//! the model makes look like those that were seen.

use super::super::draws::Draws;
use super::super::energy::bfmi;
use super::super::hdi::interval;
use super::super::moments::sorted;
use super::super::predictive::replications;
use super::super::sums;
use super::density::density;
use super::{count, row};
use probpipe_plot::{Figure, Plot};
use probpipe_trace::{Array, Error, ErrorKind, Result, here};

/// Replications that are drawn.
const REPLICATIONS: usize = 50;
/// Places at which their distributions are.
const POINTS: usize = 300;
/// Most data that are drawn one by one.
const EACH: usize = 100;

/// The density of the energies `[chains, draws]` of a Hamiltonian sampler, less their mean, and
/// that of their changes from one draw to the next. Where the second is much narrower than the
/// first, momenta drawn anew do not bring the chain to all energies; the title has the least of the
/// numbers of [`bfmi`](super::super::bfmi), which says it in one.
///
/// # Errors
/// Energies that are not floats, not of the shape `[chains, draws]`, or that a trace has not
/// computed.
#[track_caller]
pub fn energy(energies: &Array) -> Result<Plot> {
    let read = Draws::read("energy", energies)?;
    if !read.shape().is_empty() {
        let message = format!("`energy` takes energies [chains, draws], not {}", energies.ty()?);
        return Err(Error::new(ErrorKind::Shape, message)
            .at(here())
            .note("the energies were made", Some(energies.location()))
            .help("of a run they are `stats[\"energy\"]`"));
    }
    let least = bfmi(energies)?.to_vec::<f64>()?.into_iter().fold(f64::INFINITY, f64::min);
    let mut panel = Plot::new(format!("Energy: BFMI {least:.2} or more"));
    read.each(|chains| {
        let mean = sums::mean(&chains.values);
        let changes: Vec<f64> =
            chains.each().flat_map(|chain| chain.windows(2)).map(|two| two[1] - two[0]).collect();
        let curves =
            [("energy less its mean", chains.map(|x| x - mean).values), ("change", changes)];
        for (name, values) in curves {
            let (x, y) = density(&values);
            panel = panel.clone().line(&x, &y).label(name);
        }
    });
    Ok(panel.x_label("energy").y_label("density"))
}

/// Data that were seen, `[...]`, among replications of them, `[chains, draws, ...]`: the part of
/// the data below each value, with 50 of the replications, and, of at most 100, each of the data
/// with the interval that holds 94% of its replications. Of any element type.
///
/// # Errors
/// Those of [`predictive_check`](super::super::predictive_check).
#[track_caller]
pub fn predictive(replicated: &Array, observed: &Array) -> Result<Figure> {
    let (draws, data) = replications("predictive", replicated, observed)?;
    let every = (draws.chains() * draws.draws()).div_ceil(REPLICATIONS);
    let shown: Vec<Vec<f64>> = draws.rows().step_by(every).map(sorted).collect();
    let seen = sorted(&data);
    let finite = || shown.iter().chain([&seen]).flatten().copied().filter(|x| x.is_finite());
    let (low, high) = (finite().fold(f64::MAX, f64::min), finite().fold(f64::MIN, f64::max));
    let at: Vec<f64> =
        (0..=POINTS).map(|i| low + (high - low) * (i as f64 / POINTS as f64)).collect();
    let below = |sorted: &[f64]| {
        let part = |x: f64| sorted.partition_point(|&y| y <= x) as f64 / sorted.len() as f64;
        row(at.iter().map(|&x| part(x)))
    };
    let x = row(at.iter().copied());
    let mut distribution = Plot::new("Distribution of the data");
    for (i, one) in shown.iter().enumerate() {
        distribution = distribution.line(&x, &below(one)).fine();
        distribution =
            if i == 0 { distribution.label("replicated") } else { distribution.same_color() };
    }
    distribution = distribution.line(&x, &below(&seen)).label("observed");
    let mut panels = vec![distribution.x_label("value").y_label("part below")];
    if data.len() <= EACH {
        let mut ends = Vec::new();
        draws.each(|chains| {
            let [low, high] = interval(&sorted(&chains.values), 0.94);
            ends.extend([low, high, f64::NAN]);
        });
        let places = (0..data.len()).flat_map(|i| [i as f64, i as f64, f64::NAN]);
        panels.push(
            Plot::new("Each of the data")
                .line(&row(places), &row(ends))
                .label("94% of the replications")
                .scatter(&count(data.len()), &row(data))
                .label("observed")
                .x_label("place")
                .y_label("value"),
        );
    }
    Ok(Figure::row(panels))
}
