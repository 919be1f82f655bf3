//! Simulation-based calibration: whether ranks of what was drawn from the prior among draws of the
//! posterior are uniform, as they are where the sampler is right. A function of the ranks alone.

use probpipe_trace::{Array, Error, ErrorKind, Result, SpecialOp, here};

/// What [`calibration`] gives, with an element for each quantity.
#[derive(Clone, Debug)]
pub struct Calibration {
    /// How many ranks fell into each bin, an `i64` array `[..., bins]`.
    pub counts: Array,
    /// How many a bin holds if ranks are uniform, an `f64` array `[bins]`.
    pub expected: Array,
    /// `sum_b (counts_b - expected_b)^2 / expected_b`, an `f64` array `[...]`.
    pub statistic: Array,
    /// The probability of a larger statistic if ranks are uniform, by the chi-square distribution
    /// of `bins - 1` degrees of freedom, an `f64` array `[...]`.
    pub p_value: Array,
}

/// Tests ranks for uniformity. Each simulation draws parameters from the prior and data given
/// these, then `num_draws` independent draws of the posterior given the data; the rank of a
/// parameter is the number of draws below it, 0 to `num_draws`. `ranks` are integers
/// `[simulations, ...]`, quantities behind simulations. Too many ranks in the middle tell of a
/// posterior that is too wide, too many at the ends of one too narrow or of draws that depend on
/// each other (thin them first).
///
/// The approximation by a chi-square distribution needs about five ranks to a bin. Bins hold equal
/// numbers of ranks where their number divides `num_draws + 1`.
///
/// S. Talts, M. Betancourt, D. Simpson, A. Vehtari and A. Gelman, "Validating Bayesian inference
/// algorithms with simulation-based calibration", arXiv:1804.06788 (2018).
///
/// ```
/// use probpipe::diagnostics::calibration;
/// use probpipe::prelude::*;
/// // Ranks 0 to 19, each ten times.
/// let even = arange(200).floor_divide(10);
/// let test = calibration(&even, 19, 10)?;
/// assert_eq!(test.counts.to_vec::<i64>()?, [20; 10]);
/// assert_eq!(test.p_value.item::<f64>()?, 1.0);
/// // As many in the middle.
/// let narrow = calibration(&(even.floor_divide(2) + 5), 19, 10)?;
/// assert!(narrow.p_value.item::<f64>()? < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Ranks that are not integers, that are none, that a trace has not computed, or outside of 0 to
/// `num_draws`; fewer than two bins, or more than there are ranks or simulations.
#[track_caller]
pub fn calibration(ranks: &Array, num_draws: usize, bins: usize) -> Result<Calibration> {
    let location = here();
    let refuse = |kind, message: String, help: &str| {
        let error = Error::new(kind, message).at(location);
        Err(error.note("the ranks were made", Some(ranks.location())).help(help))
    };
    let value = ranks.value()?;
    let ty = value.ty();
    if !ty.dtype.is_integer() {
        let message = format!("`calibration` takes ranks that are integers, not {ty}");
        return refuse(ErrorKind::DType, message, "count the draws below the parameter");
    }
    let [simulations @ (1..), ref shape @ ..] = ty.shape[..] else {
        let message = format!("`calibration` takes ranks of shape [simulations, ...], not {ty}");
        return refuse(ErrorKind::Shape, message, "the first axis holds the simulations");
    };
    let possible = num_draws as u128 + 1;
    if bins < 2 || bins as u128 > possible || bins > simulations {
        let message = format!(
            "`calibration` cannot sort {possible} ranks of {simulations} simulations into {bins} bins"
        );
        let help = "take two bins or more, and a number that divides that of the ranks";
        return refuse(ErrorKind::Value, message, help);
    }
    let width: usize = shape.iter().product();
    let mut counts = vec![0i64; width * bins];
    for (i, rank) in value.to_scalars()?.into_iter().enumerate() {
        let rank = rank.as_i128();
        let Some(rank) = u128::try_from(rank).ok().filter(|r| *r < possible) else {
            let message = format!("the rank {rank} is not one among {num_draws} draws");
            return refuse(ErrorKind::Value, message, "ranks count the draws below: 0 to all");
        };
        let bin = (rank * bins as u128 / possible) as usize;
        counts[i % width * bins + bin] += 1;
    }
    // The ranks of bin b begin at the least r with r * bins >= b * possible.
    let start = |bin: usize| (bin as u128 * possible).div_ceil(bins as u128) as f64;
    let share = |bin: usize| (start(bin + 1) - start(bin)) / possible as f64;
    let expected: Vec<f64> = (0..bins).map(|bin| share(bin) * simulations as f64).collect();
    let statistics: Vec<f64> = counts
        .chunks_exact(bins)
        .map(|counts| {
            let pairs = counts.iter().zip(&expected);
            pairs.map(|(&c, e)| (c as f64 - e) * (c as f64 - e) / e).sum()
        })
        .collect();
    let half = (bins - 1) as f64 / 2.0;
    let tail = |x: &f64| SpecialOp::Gammaincc.value([half, x / 2.0, 0.0]);
    let p_values: Vec<f64> = statistics.iter().map(tail).collect();
    Ok(Calibration {
        counts: Array::from_slice(&counts, [shape, &[bins]].concat()),
        expected: Array::from_slice(&expected, [bins]),
        statistic: Array::from_slice(&statistics, shape),
        p_value: Array::from_slice(&p_values, shape),
    })
}
