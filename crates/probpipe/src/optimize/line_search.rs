//! A step length along a direction of descent.

use super::number;
use probpipe_trace::{Array, DType, Tree, select, while_loop, zeros_like};
use probpipe_transforms::jvp;

/// Decrease that a step must bring, as a part of what the slope at the start promises.
const DECREASE: f64 = 1e-4;
/// Part of the slope at the start that may be left.
const CURVATURE: f64 = 0.9;

/// The search as it goes on: the smallest step known to be too long, the largest known to be too
/// short, and the step to try.
#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct Bracket {
    low: Array,
    high: Array,
    step: Array,
    found: Array,
    tries: Array,
}

/// The distance from 1 to the next number.
fn epsilon(dtype: DType) -> f64 {
    if dtype == DType::F32 { f64::from(f32::EPSILON) } else { f64::EPSILON }
}

/// A step that satisfies the weak Wolfe conditions, by bisection and doubling, and whether one was
/// found. `f` is the function along the direction, `f0` and `d0 < 0` its value and slope at zero.
///
/// The method ends for every function that is bounded below (Lewis and Overton 2013, "Nonsmooth
/// optimization via quasi-Newton methods", algorithm 2.6). Near the minimum, where differences of
/// values are rounding, the slopes alone decide (Hager and Zhang 2005, "A new conjugate gradient
/// method with guaranteed descent", equation 4.1).
pub(super) fn step_length(
    f: impl Fn(Array) -> Array,
    f0: &Array,
    d0: &Array,
    most: usize,
) -> (Array, Array) {
    let noise = (f0.abs() + 1.0) * (8.0 * epsilon(f0.dtype()));
    let start = Bracket {
        low: zeros_like(f0),
        high: number(f0, f64::INFINITY),
        step: number(f0, 1.0),
        found: f0.ne(f0),
        tries: Array::from(0i32),
    };
    let go_on = |b: Bracket| !b.found & b.tries.lt(most as i32);
    let next = |b: Bracket| {
        let (value, slope) = jvp(&f, b.step.clone(), number(&b.step, 1.0));
        let decreased = value.le(f0 + &b.step * d0 * DECREASE);
        let level = value.le(f0 + &noise) & slope.le(d0 * (2.0 * DECREASE - 1.0));
        let flat = slope.ge(d0 * CURVATURE);
        // A value that is not a number is none that decreased.
        let long = !(decreased | level);
        let found = !&long & &flat;
        let short = !&long & !&flat;
        let low = select(&short, &b.step, &b.low);
        let high = select(&long, &b.step, &b.high);
        let halved = (&low + select(&high.is_finite(), &high, &low)) * 0.5;
        let moved = select(&high.is_finite(), halved, &low * 2.0);
        Bracket { step: select(&found, &b.step, moved), low, high, found, tries: b.tries + 1 }
    };
    let end = while_loop(go_on, next, start);
    (end.step, end.found)
}
