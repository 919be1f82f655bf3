//! One step of a solver: where it leads, how wrong that is, how long the next one is, and what lies
//! within it. The loop over steps is in `mod`.

use super::tableau::{ERROR, NODES, PARTS, STAGES, WITHIN};
use probpipe_trace::{Array, Tree, select};

/// How far the length of a step changes at most, and the part of the best length that is taken.
const LEAST: f64 = 0.2;
const MOST: f64 = 10.0;
const CAUTION: f64 = 0.9;

/// What a solver knows: where it is, and the last step on the way there. Times are counted from the
/// start in the direction of the solve, and carry no derivatives; nor do the lengths of steps.
#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
pub(super) struct Place {
    pub(super) t: Array,
    pub(super) y: Array,
    pub(super) slope: Array,
    pub(super) before: Bend,
    /// The length of the next step.
    pub(super) length: Array,
    pub(super) steps: Array,
    /// Whether there is no way on.
    pub(super) lost: Array,
}

/// The start of a step, and what its polynomial has beyond a cubic.
#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
pub(super) struct Bend {
    t: Array,
    y: Array,
    slope: Array,
    bend: Array,
}

/// What errors are measured by.
#[derive(Clone, Copy)]
pub(super) struct Tolerances {
    pub(super) relative: f64,
    pub(super) absolute: f64,
}

impl Tolerances {
    /// The root of the mean square of `x` in units of what is tolerated at `y`.
    fn size(self, x: &Array, y: &Array) -> Array {
        (x / (y.abs() * self.relative + self.absolute)).square().mean().sqrt()
    }
}

/// The slope at a time and a place.
pub(super) type Slope<'a> = &'a dyn Fn(&Array, &Array) -> Array;

impl Place {
    /// The start, from which the solver goes on to `end`.
    #[track_caller]
    pub(super) fn start(
        f: Slope<'_>,
        y: Array,
        end: &Array,
        first: Option<f64>,
        tolerances: Tolerances,
    ) -> Place {
        let t = end * 0.0;
        let slope = f(&t, &y);
        let length = match first {
            Some(first) => end.minimum(first),
            None => first_step(f, &t, &y, &slope, end, tolerances),
        };
        let before = Bend { t: t.clone(), y: y.clone(), slope: slope.clone(), bend: &slope * 0.0 };
        Place {
            length: length.stop_gradient(),
            steps: Array::from(0i32),
            lost: !(y.is_finite().all() & slope.is_finite().all()),
            before,
            t,
            y,
            slope,
        }
    }

    /// After one step more, which goes no further than to `end`; where its error is more than is
    /// tolerated only the length changes.
    #[track_caller]
    pub(super) fn next(self, f: Slope<'_>, end: &Array, tolerances: Tolerances) -> Place {
        let rest = end - &self.t;
        let last = self.length.ge(&rest);
        let h = &select(&last, &rest, &self.length);
        let mut slopes = vec![self.slope.clone()];
        let mut y = self.y.clone();
        for stage in 1..STAGES {
            y = &self.y + h * sum(PARTS[stage], &slopes);
            slopes.push(f(&(&self.t + h * NODES[stage]), &y));
        }
        let arrived = select(&last, end, &self.t + h);
        let largest = self.y.abs().maximum(y.abs());
        let error = (h * sum(&ERROR, &slopes)).stop_gradient();
        let error = tolerances.size(&error, &largest.stop_gradient());
        // Of what is not finite no comparison holds.
        let taken = error.le(1.0) & y.is_finite().all() & slopes[STAGES - 1].is_finite().all();
        let best = (error.maximum(1e-10).pow(-0.2) * CAUTION).clip(LEAST, MOST);
        let factor = select(&taken, &best, select(&best.lt(1.0), &best, LEAST));
        let moves = arrived.gt(&self.t);
        let step = Bend {
            t: self.t.clone(),
            y: self.y.clone(),
            slope: self.slope.clone(),
            bend: h * sum(&WITHIN, &slopes),
        };
        let keep = |new: Array, old: Array| select(&taken, new, old);
        Place {
            t: keep(arrived, self.t),
            y: keep(y, self.y),
            slope: keep(slopes.swap_remove(STAGES - 1), self.slope),
            before: probpipe_trace::tree_map(keep, step, self.before),
            length: (h * factor).stop_gradient(),
            steps: self.steps + 1,
            // A step that rounding swallows.
            lost: self.lost | !moves,
        }
    }

    /// Whether a time is not before the last step.
    #[track_caller]
    pub(super) fn starts_by(&self, t: &Array) -> Array {
        self.before.t.le(t)
    }

    /// The value at a time within the last step: with `s` the part of the step that has passed,
    /// `y0 + s (d + (1 - s) (b + s (d - h k1 - b + (1 - s) c)))`, where `d` is the difference of
    /// the ends, `b = h k0 - d` and `c` the bend.
    #[track_caller]
    pub(super) fn at(&self, t: &Array) -> Array {
        let Bend { t: start, y, slope, bend } = &self.before;
        let h = &self.t - start;
        let h = &select(&h.gt(0.0), &h, 1.0).stop_gradient();
        let part = (t - start) / h;
        let (rest, change) = (1.0 - &part, &self.y - y);
        let first = h * slope - &change;
        let second = &change - h * &self.slope - &first;
        y + &part * (change + &rest * (first + &part * (second + &rest * bend)))
    }
}

/// A sum of slopes with factors, of which some are zero.
#[track_caller]
fn sum(parts: &[f64], slopes: &[Array]) -> Array {
    let terms = parts.iter().zip(slopes).filter(|(part, _)| **part != 0.0);
    let terms = terms.map(|(part, slope)| slope * *part);
    terms.reduce(|a, b| a + b).unwrap_or_else(|| &slopes[0] * 0.0)
}

/// A length of which a step of order 1 would err by about a hundredth of what is tolerated (Hairer,
/// Norsett and Wanner, section II.4).
#[track_caller]
fn first_step(
    f: Slope<'_>,
    t: &Array,
    y: &Array,
    slope: &Array,
    end: &Array,
    tolerances: Tolerances,
) -> Array {
    let (y, slope) = (&y.stop_gradient(), &slope.stop_gradient());
    let (place, speed) = (tolerances.size(y, y), tolerances.size(slope, y));
    let slow = place.lt(1e-5) | speed.lt(1e-5);
    let speed_or_one = select(&speed.gt(0.0), &speed, 1.0);
    let guess = select(&slow, 1e-6, &place / speed_or_one * 0.01).minimum(end);
    let ahead = f(&(t + &guess), &(y + &guess * slope)).stop_gradient();
    let positive = select(&guess.gt(0.0), &guess, 1.0);
    let turn = tolerances.size(&(ahead - slope), y) / positive;
    let largest = speed.maximum(turn);
    let flat = largest.le(1e-15);
    let some = select(&flat, 1.0, &largest);
    let length = select(&flat, (&guess * 1e-3).maximum(1e-6), (0.01 / some).pow(0.2));
    // Where the slope ahead is not finite the guess was too long.
    let length = select(&length.gt(0.0), length, &guess * 1e-3);
    length.minimum(&guess * 100.0).minimum(end)
}
