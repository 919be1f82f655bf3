//! A table over named quantities: what the draws say of each, and how far they are to be trusted.

use super::draws::{Chains, Draws, probability};
use super::ess::Ess;
use super::hdi::interval;
use super::mcse::Mcse;
use super::moments::sorted;
use super::r_hat::RHat;
use super::{sums, table};
use crate::record::Record;
use probpipe_trace::{Error, Result, here};
use std::fmt;

/// One quantity of a [`Summary`].
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// Its path in the record, and its place in the array there: `theta[0]`, `x/w[2,1]`.
    pub name: String,
    /// The mean of all draws.
    pub mean: f64,
    /// Their standard deviation.
    pub sd: f64,
    /// How far the mean may be off: [`Mcse::Mean`].
    pub mcse_mean: f64,
    /// The ends of the interval of highest density.
    pub hdi: [f64; 2],
    /// [`Ess::Bulk`].
    pub ess_bulk: f64,
    /// [`Ess::Tail`].
    pub ess_tail: f64,
    /// [`RHat::Rank`].
    pub r_hat: f64,
}

/// What [`summary`] gives: quantities by name. It prints as a table; means and what is compared
/// with them have the digits that their errors leave, or as many as `{:.3}` asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    quantities: Vec<Quantity>,
    probability: f64,
}

/// Summarises draws: a record of arrays `[chains, draws, ...]`, of any element type, truth values
/// as 0 and 1. Every element behind chains and draws is a quantity of its own. Intervals hold 94 %
/// of the draws; [`summary_with`] takes another part.
///
/// ```
/// use probpipe::diagnostics::summary;
/// use probpipe::prelude::*;
/// let theta = normal(Key::new(0), [4, 250, 2]) * array([1.0, 10.0]);
/// let table = summary(&Record::new([("mu", theta.sum_axes(-1)), ("theta", theta)]))?;
/// let second = table.get("theta[1]").unwrap();
/// assert!(second.r_hat < 1.02 && (second.sd - 10.0).abs() < 1.0);
/// println!("{table}");
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// An array that has no axes for chains and draws, or that a trace has not computed.
#[track_caller]
pub fn summary(draws: &Record) -> Result<Summary> {
    summary_with(draws, 0.94)
}

/// [`summary`] with intervals that hold a part `probability` of the draws.
///
/// # Errors
/// As [`summary`]; a probability outside of 0 to 1.
#[track_caller]
pub fn summary_with(draws: &Record, probability: f64) -> Result<Summary> {
    self::probability("`summary`", probability)?;
    let mut quantities = Vec::new();
    each_quantity("summary", draws, |name, chains| {
        quantities.push(Quantity::new(name, chains, probability));
    })?;
    Ok(Summary { quantities, probability })
}

/// Does something with each quantity of a record and its name in turn. `what` is the function that
/// the user called.
#[track_caller]
pub(super) fn each_quantity(
    what: &str,
    draws: &Record,
    mut f: impl FnMut(String, &Chains),
) -> Result<()> {
    let location = here();
    for (path, array) in draws.arrays() {
        let of = |error: Error| error.note(format!("in the part `{path}`"), None).at(location);
        let draws = Draws::read_any(what, array).map_err(of)?;
        let mut names = places(draws.shape()).map(|place| format!("{path}{place}"));
        draws.each(|chains| f(names.next().unwrap_or_default(), chains));
    }
    Ok(())
}

/// The places of the elements of an array, in order: `[0,1]`, and nothing for a scalar.
fn places(shape: &[usize]) -> impl Iterator<Item = String> {
    (0..shape.iter().product()).map(|mut flat: usize| {
        let mut place = Vec::new();
        for &extent in shape.iter().rev() {
            place.push((flat % extent).to_string());
            flat /= extent;
        }
        place.reverse();
        if place.is_empty() { String::new() } else { format!("[{}]", place.join(",")) }
    })
}

impl Quantity {
    fn new(name: String, chains: &Chains, probability: f64) -> Quantity {
        Quantity {
            name,
            mean: sums::mean(&chains.values),
            sd: sums::variance(&chains.values, 1.0).sqrt(),
            mcse_mean: Mcse::Mean.value(chains),
            hdi: interval(&sorted(&chains.values), probability),
            ess_bulk: Ess::Bulk.value(chains),
            ess_tail: Ess::Tail.value(chains),
            r_hat: RHat::Rank.value(chains),
        }
    }

    /// The decimals that say something: the error of the mean has two digits, or, where it is not
    /// known, the standard deviation four.
    fn decimals(&self) -> usize {
        let (scale, digits) = match (self.mcse_mean, self.sd) {
            (error, _) if error.is_finite() && error > 0.0 => (error, 2.0),
            (_, sd) if sd.is_finite() && sd > 0.0 => (sd, 4.0),
            _ => (1.0, 4.0),
        };
        (digits - 1.0 - scale.log10().floor()).clamp(0.0, 300.0) as usize
    }
}

impl Summary {
    /// The quantities, in the order of the record.
    pub fn quantities(&self) -> &[Quantity] {
        &self.quantities
    }

    /// The quantity of this name.
    pub fn get(&self, name: &str) -> Option<&Quantity> {
        self.quantities.iter().find(|q| q.name == name)
    }

    /// The part of the draws that the intervals hold.
    pub fn probability(&self) -> f64 {
        self.probability
    }
}

/// A number with so many decimals, or with powers of ten where that would be long.
fn number(x: f64, decimals: usize) -> String {
    const LONGEST: usize = 11;
    let plain = format!("{x:.decimals$}");
    if plain.chars().count() <= LONGEST || !x.is_finite() {
        return plain;
    }
    let exponent = x.abs().log10().floor();
    let digits = (exponent + decimals as f64).clamp(0.0, 4.0) as usize;
    let short = format!("{x:.digits$e}");
    if short.len() < plain.len() { short } else { plain }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = format!("{:.1}", self.probability * 100.0);
        let percent = format!("{}% hdi", percent.trim_end_matches(".0"));
        let ends = |end: usize| {
            let text = |q: &Quantity| number(q.hdi[end], f.precision().unwrap_or(q.decimals()));
            self.quantities.iter().map(text).collect::<Vec<_>>()
        };
        let (low, high) = (ends(0), ends(1));
        let widest = |texts: &[String]| texts.iter().map(String::len).max().unwrap_or(0);
        let (low_width, high_width) = (widest(&low), widest(&high));
        let cells: Vec<[String; 8]> = self
            .quantities
            .iter()
            .zip(low.iter().zip(&high))
            .map(|(q, (low, high))| {
                let decimals = f.precision().unwrap_or(q.decimals());
                let count = |x: f64| format!("{x:.0}");
                [
                    q.name.clone(),
                    number(q.mean, decimals),
                    number(q.sd, decimals),
                    number(q.mcse_mean, decimals),
                    format!("[{low:>low_width$}, {high:>high_width$}]"),
                    count(q.ess_bulk),
                    count(q.ess_tail),
                    format!("{:.3}", q.r_hat),
                ]
            })
            .collect();
        let head =
            ["", "mean", "sd", "mcse_mean", &percent, "ess_bulk", "ess_tail", "r_hat"].to_vec();
        let rows = cells.iter().map(|row| row.iter().map(String::as_str).collect());
        f.write_str(&table::aligned(&std::iter::once(head).chain(rows).collect::<Vec<_>>()))
    }
}
