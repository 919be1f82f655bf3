//! A step length along a direction of descent: brackets and interpolation (Nocedal and Wright 2006,
//! "Numerical Optimization", algorithms 3.5 and 3.6), as a loop of the program.

use super::scale::number;
use probpipe_trace::{Array, DType, Tree, select, while_loop, zeros_like};
use probpipe_transforms::jvp;

/// Decrease that a step must bring, as a part of what the slope at the start promises.
const DECREASE: f64 = 1e-4;
/// Part of the slope at the start that may be left, up or down.
const CURVATURE: f64 = 0.9;
/// How many times longer the next step may be while all were too short.
const GROWTH: f64 = 10.0;
/// How near to the ends of a bracket, in parts of it, a step may be tried.
const MARGIN: f64 = 0.01;

/// A place on the line.
#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct Place {
    at: Array,
    value: Array,
    slope: Array,
}

impl Place {
    fn or(&self, here: &Array, other: &Place) -> Place {
        Place {
            at: select(here, &self.at, &other.at),
            value: select(here, &self.value, &other.value),
            slope: select(here, &self.slope, &other.slope),
        }
    }
}

/// The search as it goes on: the best step so far, what bounds the other side (either way round)
/// if `bounded`, and the step to try.
#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct Search {
    best: Place,
    bound: Place,
    bounded: Array,
    step: Array,
    found: Array,
    tries: Array,
}

/// The distance from 1 to the next number, and the longest step tried.
fn extremes(dtype: DType) -> (f64, f64) {
    match dtype {
        DType::F32 => (f64::from(f32::EPSILON), 1e30),
        _ => (f64::EPSILON, 1e100),
    }
}

/// A step that satisfies the strong Wolfe conditions, or else the lowest found that decreases
/// enough; and whether there is one. `f` is the function along the direction, `f0` and `d0 < 0` its
/// value and slope at zero, `unit` what counts as 1 among its values.
///
/// Near the minimum, where differences of values are rounding, the slopes alone decide (Hager and
/// Zhang 2005, "A new conjugate gradient method with guaranteed descent", equation 4.1). Steps to
/// values that are not finite are too long. The step has no derivative: at a minimum it multiplies
/// a gradient of zero.
pub(super) fn step_length(
    f: impl Fn(Array) -> Array,
    (f0, d0): (&Array, &Array),
    unit: &Array,
    most: usize,
) -> (Array, Array) {
    let (f0, d0) = (&f0.stop_gradient(), &d0.stop_gradient());
    let (epsilon, longest) = extremes(f0.dtype());
    let noise = (f0.abs() + unit.stop_gradient()) * (8.0 * epsilon);
    let origin = Place { at: zeros_like(f0), value: f0.clone(), slope: d0.clone() };
    let start = Search {
        bound: origin.clone(),
        best: origin,
        bounded: f0.ne(f0),
        step: number(f0, 1.0),
        found: f0.ne(f0),
        tries: Array::from(0i32),
    };
    let go_on = |s: Search| !s.found & s.tries.lt(most as i32);
    let next = |s: Search| {
        let (value, slope) = jvp(&f, s.step.clone(), number(&s.step, 1.0));
        let (value, slope) = (value.stop_gradient(), slope.stop_gradient());
        let here = Place { at: s.step.clone(), value, slope };
        let decreased = here.value.le(f0 + &here.at * d0 * DECREASE) & here.value.le(&s.best.value);
        let level = here.value.le(f0 + &noise)
            & here.value.le(&s.best.value + &noise)
            & here.slope.le(d0 * (2.0 * DECREASE - 1.0));
        let lower = here.value.is_finite() & here.slope.is_finite() & (decreased | level);
        let found = &lower & here.slope.abs().le(d0 * -CURVATURE);
        // The minimum lies between two lower places where the slope points back to the last best.
        let forward = select(&s.bounded, s.bound.at.ge(&s.best.at), true);
        let back = select(&forward, here.slope.ge(0.0), here.slope.le(0.0));
        let bound = s.best.or(&back, &s.bound);
        let bound = bound.or(&lower, &here);
        let best = here.or(&lower, &s.best);
        let bounded = &s.bounded | !&lower | back;
        let tries = s.tries + 1;
        let inside = between(&best, &bound, &tries);
        let beyond = farther(&s.best, &best).minimum(longest);
        let step = select(&found, &here.at, select(&bounded, inside, beyond));
        Search { best, bound, bounded, step, found, tries }
    };
    let end = while_loop(go_on, next, start);
    let lower = end.best.at.gt(0.0) & end.best.value.lt(f0);
    (select(&end.found, &end.step, &end.best.at), end.found | lower)
}

/// The minimum of the cubic through the ends of a bracket (equation 3.59), away from both; every
/// third step its middle, so that brackets shrink whatever the function.
fn between(best: &Place, bound: &Place, tries: &Array) -> Array {
    let width = &bound.at - &best.at;
    let (a, b) = (&best.slope, &bound.slope);
    let chord = (&bound.value - &best.value) / nonzero(&width);
    let unit = nonzero(&a.abs().maximum(b.abs()).maximum(chord.abs()));
    let (a, b, chord) = (a / &unit, b / &unit, chord / &unit);
    let middle = &a + &b - &chord * 3.0;
    let root = (middle.square() - &a * &b).maximum(0.0).sqrt().copysign(&width);
    let part = 1.0 - (&b + &root - &middle) / nonzero(&(&b - &a + &root * 2.0));
    let known = part.is_finite() & (tries % 3).ne(0);
    let part = select(&known, part.clip(MARGIN, 1.0 - MARGIN), 0.5);
    // From where the function is no number, back by more than the half.
    let finite = bound.value.is_finite() & bound.slope.is_finite();
    &best.at + width * select(&finite, part, 0.1)
}

/// Where the slope, as a line through the last two, vanishes; between twice and `GROWTH` times as
/// far.
fn farther(last: &Place, best: &Place) -> Array {
    let rise = &best.slope - &last.slope;
    let secant = &best.at - &best.slope * (&best.at - &last.at) / nonzero(&rise);
    let farthest = &best.at * GROWTH;
    let guess = select(&rise.gt(0.0), &secant, &farthest);
    select(&guess.is_nan(), &farthest, guess.clip(&best.at * 2.0, &farthest))
}

/// The number, or one where it is zero or none and its quotient is not used.
fn nonzero(x: &Array) -> Array {
    select(&x.abs().gt(0.0), x, number(x, 1.0))
}
