//! Whether chains have mixed: their courses, their ranks, and how long they remember.

use super::super::autocovariance::Autocovariances;
use super::super::draws::Chains;
use super::super::ranks::ranks;
use super::density::density;
use super::{Named, count, named, row};
use crate::record::Record;
use probpipe_plot::{Figure, Plot};
use probpipe_trace::Result;

/// Most quantities that have panels of their own.
const MOST: usize = 40;
/// Most chains that a legend names.
const NAMED_CHAINS: usize = 8;
/// Bins of a histogram of ranks.
const BINS: usize = 20;
/// Lags of an autocorrelation.
const LAGS: usize = 60;

/// For each quantity the density of each chain, and its course: chains that have mixed lie over one
/// another in both.
///
/// # Errors
/// An array that has no axes for chains and draws, or that a trace has not computed; more
/// quantities than can be looked at.
#[track_caller]
pub fn trace(draws: &Record) -> Result<Figure> {
    let panels = |(i, Named { name, chains }): (usize, &Named)| {
        let (mut left, mut right) = (Plot::new(name), Plot::new(name));
        for (chain, values) in chains.each().enumerate() {
            let (x, y) = density(values);
            left = labelled(left.line(&x, &y), i, chain, chains);
            right = right.line(&count(values.len()), &row(values.iter().copied())).fine();
        }
        [left.x_label(name).y_label("density"), right.x_label("draw").y_label(name)]
    };
    Ok(Figure::grid(2, named("trace", draws, MOST)?.iter().enumerate().flat_map(panels)))
}

/// For each quantity and chain a histogram of the ranks that its draws have among those of all
/// chains. Chains that have mixed have ranks of all sizes, but for chance as many as the dashed
/// lines say; one that stays low or high, or that visits the tails too seldom, shows it (A. Vehtari
/// et al., "Rank-normalization, folding, and localization: an improved R-hat", 2021).
///
/// # Errors
/// As [`trace`].
#[track_caller]
pub fn rank(draws: &Record) -> Result<Figure> {
    let panel = |Named { name, chains }: &Named| {
        let bins = BINS.min(chains.values.len());
        let ranked = Chains { values: ranks(&chains.values), draws: chains.draws };
        let (all, expected) = (chains.values.len() as f64, chains.draws as f64 / bins as f64);
        let histograms: Vec<Vec<f64>> =
            ranked.each().map(|chain| histogram(chain, all, bins)).collect();
        let largest = histograms.iter().flatten().copied().fold(expected, f64::max);
        // Two points at each edge, so that bars are flat.
        let edges = row((0..bins).flat_map(|b| [b, b + 1]).map(|b| b as f64 / bins as f64 * all));
        let mut plot = Plot::new(name);
        for (chain, counts) in histograms.iter().enumerate() {
            let floor = chain as f64 - 0.4;
            let height = |count: f64| floor + 0.8 * count / largest;
            let tops = row(counts.iter().flat_map(|&count| [height(count); 2]));
            plot = plot.band(&edges, &row(vec![floor; 2 * bins]), &tops);
            let level = row([height(expected); 2]);
            plot = plot.dashed(&row([0.0, all]), &level).same_color();
        }
        let names = (0..histograms.len()).map(|chain| format!("chain {chain}"));
        plot.y_names(names).x_label("rank among all draws (dashed: if chains have mixed)")
    };
    Ok(Figure::grid(2, named("rank", draws, MOST)?.iter().map(panel)))
}

/// How many of the ranks of a chain, of so many of all, lie in each of the bins.
fn histogram(ranks: &[f64], all: f64, bins: usize) -> Vec<f64> {
    let mut counts = vec![0.0; bins];
    for rank in ranks {
        counts[(((rank - 0.5) / all * bins as f64) as usize).min(bins - 1)] += 1.0;
    }
    counts
}

/// For each quantity and chain the [autocorrelation](super::super::autocorrelation) at lags up to
/// 60: the sooner it is lost between the lines, the more a draw is worth.
///
/// # Errors
/// As [`trace`].
#[track_caller]
pub fn autocorrelation(draws: &Record) -> Result<Figure> {
    let panel = |(i, Named { name, chains }): (usize, &Named)| {
        let lags = chains.draws.min(LAGS + 1);
        let mut plot = Plot::new(name);
        for (chain, values) in chains.each().enumerate() {
            let one = Chains { values: values.to_vec(), draws: chains.draws };
            let mut covariances = Autocovariances::new(&one);
            let variance = covariances.at(0);
            let correlations = row((0..lags).map(|lag| covariances.at(lag) / variance));
            plot = labelled(plot.line(&count(lags), &correlations), i, chain, chains);
        }
        let chance = 1.96 / (chains.draws as f64).sqrt();
        plot = plot.hline(chance);
        if i == 0 {
            plot = plot.label("95% of independent draws");
        }
        plot.hline(-chance).x_label("lag in draws").y_label("autocorrelation")
    };
    let all = named("autocorrelation", draws, MOST)?;
    Ok(Figure::grid(2, all.iter().enumerate().map(panel)))
}

/// With the name of the chain, in the first panel of few chains.
fn labelled(plot: Plot, panel: usize, chain: usize, chains: &Chains) -> Plot {
    if panel > 0 || chains.count() > NAMED_CHAINS {
        return plot;
    }
    plot.label(format!("chain {chain}"))
}
