//! All draws of distributions of numbers that have finitely many.

use super::shapes::join;
use super::{LogProb, Support};
use crate::constraints::Constraint;
use probpipe_trace::{Array, DType};

/// As many draws are listed at most.
const MOST: f64 = 65536.0;

/// The integers of a support whose ends are known, `[k, batch]`, and their probabilities, which are
/// zero where a copy of the batch does not have one.
#[track_caller]
pub(crate) fn of<D: LogProb<Value = Array> + Support>(of: &D) -> Option<(Array, Array)> {
    let numbers = |end: &Array| -> Option<Vec<f64>> {
        Some(end.known()?.to_scalars().ok()?.iter().map(|x| x.as_f64()).collect())
    };
    let (low, high) = match of.support() {
        Constraint::Boolean => (0.0, 1.0),
        Constraint::IntegerInterval(low, high) => {
            let low = numbers(&low)?.into_iter().fold(f64::INFINITY, f64::min);
            (low, numbers(&high)?.into_iter().fold(f64::NEG_INFINITY, f64::max))
        }
        _ => return None,
    };
    let count = high - low + 1.0;
    if !(1.0..=MOST).contains(&count) || low.abs() > f64::from(i32::MAX) - MOST {
        return None;
    }
    let (count, batch) = (count as usize, of.batch_shape());
    let points = probpipe_trace::arange(count).cast(DType::I32) + low as i64;
    let points = points.reshape(join(&[count], &vec![1; batch.len()]));
    let points = points.broadcast_to(join(&[count], &batch));
    let probs = of.prob(&points);
    Some((points, probs))
}
