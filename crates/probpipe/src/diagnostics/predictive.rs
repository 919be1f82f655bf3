//! Predictive checks: whether data that a model makes look like those that were seen.

use super::draws::{Draws, floats};
use probpipe_trace::{Array, Error, ErrorKind, Result, here};

/// What [`predictive_check`] gives.
#[derive(Clone, Debug)]
pub struct PredictiveCheck {
    /// The statistic of the data that were seen.
    pub observed: f64,
    /// The statistic of each replication, an `f64` array `[chains, draws]`.
    pub replicated: Array,
    /// The part of replications whose statistic is that of the observed data or larger. Near 0 or
    /// 1 the model does not make such data. NaN where a statistic is.
    pub p_value: f64,
    /// The part whose statistic is equal to the observed one, which counts much where statistics
    /// are counts: `p_value - equal / 2` treats both sides alike.
    pub equal: f64,
}

/// Compares a statistic of replicated data `[chains, draws, ...]` with that of the observed data
/// `[...]`; of any element type, truth values as 0 and 1. `statistic` is given the elements of one
/// data set in row-major order.
///
/// A. Gelman, X.-L. Meng and H. Stern, "Posterior predictive assessment of model fitness via
/// realized discrepancies", Statistica Sinica 6 (1996).
///
/// ```
/// use probpipe::diagnostics::predictive_check;
/// use probpipe::prelude::*;
/// let replicated = normal(Key::new(0), [2, 500, 20]);
/// let observed = normal(Key::new(1), [20]) * 3.0;
/// let largest = |y: &[f64]| y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
/// let check = predictive_check(&replicated, &observed, largest)?;
/// assert!(check.p_value < 0.05, "the data spread more than the model says");
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Replications that have no axes for chains and draws, or whose further extents are not those of
/// the data; arrays that a trace has not computed.
#[track_caller]
pub fn predictive_check(
    replicated: &Array,
    observed: &Array,
    statistic: impl Fn(&[f64]) -> f64,
) -> Result<PredictiveCheck> {
    let (draws, data) = replications("predictive_check", replicated, observed)?;
    let observed = statistic(&data);
    let all: Vec<f64> = draws.rows().map(&statistic).collect();
    let part = |f: &dyn Fn(f64) -> bool| {
        let unknown = observed.is_nan() || all.iter().any(|x| x.is_nan());
        let count = all.iter().filter(|&&x| f(x)).count() as f64;
        if unknown { f64::NAN } else { count / all.len() as f64 }
    };
    Ok(PredictiveCheck {
        observed,
        p_value: part(&|x| x >= observed),
        equal: part(&|x| x == observed),
        replicated: Array::from_slice(&all, [draws.chains(), draws.draws()]),
    })
}

/// Replications and the data that they are of. `what` is the function that the user called.
#[track_caller]
pub(super) fn replications(
    what: &str,
    replicated: &Array,
    observed: &Array,
) -> Result<(Draws, Vec<f64>)> {
    let draws = Draws::read_any(what, replicated)?;
    let data = observed.value()?;
    if data.ty().shape[..] != *draws.shape() {
        let message = format!(
            "`{what}` compares {} [chains, draws, ...] with data {}",
            replicated.ty()?,
            data.ty()
        );
        return Err(Error::new(ErrorKind::Shape, message)
            .at(here())
            .note("the replications were made", Some(replicated.location()))
            .note("the data were made", Some(observed.location()))
            .help("the extents behind chains and draws are those of the data"));
    }
    Ok((draws, floats(&data)?))
}
