//! A stretch of a trajectory of `2^depth` points, made one after the other: the tree that the
//! no-U-turn criterion looks at exists as the stack of its finished left branches alone.

use super::dynamics::{Integrator, Moving, Point};
use super::kernel::LogDensity;
use super::metric::Metric;
use probpipe_trace::{Array, DType, Key, Tree, cond, select, uniform_of, while_loop, zeros_of};

/// How a trajectory is followed.
pub(super) struct Leapfrog<'a> {
    pub log_density: LogDensity<'a>,
    pub integrator: Integrator,
    pub metric: &'a Metric,
    pub step_size: &'a Array,
    /// The energy at the start, which that of others is held against.
    pub energy: &'a Array,
    pub max_depth: usize,
}

/// A stretch of a trajectory.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub(super) struct Subtree {
    /// Its last point.
    pub end: Moving,
    /// The momentum at its first.
    pub first: Array,
    /// The sum of its momenta.
    pub rho: Array,
    /// A point, taken in proportion to the density.
    pub chosen: Point,
    /// The density of all points in units of that of the start.
    pub weight: Array,
    /// Points.
    pub steps: Array,
    /// The sum of the probabilities with which Metropolis would accept them.
    pub acceptance: Array,
    pub turning: Array,
    pub diverging: Array,
}

/// Branches that wait for their right halves, one for each level: momenta at their first and last
/// points, and the sums of all their momenta, `[levels, n]`.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
struct Waiting {
    first: Array,
    last: Array,
    rho: Array,
}

/// Whether a stretch with these momenta at its ends, and this sum of all, turns back.
pub(super) fn turns(a: &Array, b: &Array, rho: &Array) -> Array {
    (a * rho).sum().le(0.0) | (b * rho).sum().le(0.0)
}

impl Leapfrog<'_> {
    /// The `2^depth` points after `from`, or as many as there are before it turns or diverges.
    pub fn subtree(&self, from: Moving, forwards: &Array, depth: &Array, key: Key) -> Subtree {
        let size = select(forwards, self.step_size, -self.step_size);
        let count = Array::from(1i32) << depth;
        let p = &from.momentum;
        let stack = zeros_of(p.dtype(), [self.max_depth.max(1), p.size()]);
        let zero = self.energy * 0.0;
        let start = Subtree {
            first: p.clone(),
            rho: p.clone(),
            chosen: from.point.clone(),
            weight: zero.clone(),
            steps: Array::from(0i32),
            acceptance: zero.clone(),
            turning: Array::from(false),
            diverging: Array::from(false),
            end: from,
        };
        let waiting = Waiting { first: stack.clone(), last: stack.clone(), rho: stack };
        let more =
            |(t, ..): (Subtree, Waiting, Array)| t.steps.lt(&count) & !t.turning & !t.diverging;
        // A point is taken over as soon as the sum of the weights has reached a level: that of the
        // sum when the last one was taken, divided by a uniform number. No later one is then taken
        // with the probability that is right, the ratio of the sums, and few numbers are drawn.
        let next = |(t, waiting, level): (Subtree, Waiting, Array)| {
            let end = self.integrator.step(self.log_density, self.metric, &size, t.end.clone());
            let gain = self.energy - end.energy();
            let sound = gain.ge(-1000.0) & end.point.log_density.is_finite();
            // Weights that no float holds are cut off: points that the start is e^-70 of.
            let most = if gain.dtype() == DType::F64 { 600.0 } else { 70.0 };
            let own = select(&sound, gain.minimum(most).exp(), 0.0);
            let weight = &t.weight + &own;
            let (chosen, level) = cond(
                weight.ge(&level) & &sound,
                (end.point.clone(), weight.clone(), t.chosen, level, t.steps.clone()),
                |(new, weight, _, _, i)| {
                    let chance = uniform_of(weight.dtype(), key.reuse().fold_in(i), ());
                    (new, weight / chance)
                },
                |(_, _, old, level, _)| (old, level),
            );
            let (first, rho, turning, waiting) = merged(&t.steps, &end.momentum, waiting);
            let next = Subtree {
                first,
                rho,
                chosen,
                weight,
                steps: &t.steps + 1,
                acceptance: t.acceptance + own.minimum(1.0),
                turning,
                diverging: !sound,
                end,
            };
            (next, waiting, level)
        };
        while_loop(more, next, (start, waiting, zero)).0
    }
}

/// The branch that ends with point `i`: the momentum at its first point, the sum of its momenta,
/// whether it turns; and what waits after it.
fn merged(i: &Array, p: &Array, waiting: Waiting) -> (Array, Array, Array, Waiting) {
    // Every bit at the end of `i` is a left half that waits for this one.
    let one = Array::from(1i32);
    let start = (Array::from(0i32), p.clone(), p.clone(), Array::from(false));
    let (level, first, rho, turning) = while_loop(
        |(level, _, _, turning): (Array, Array, Array, Array)| {
            ((i >> &level) & &one).eq(1) & !turning
        },
        |(level, first, rho, _)| {
            let read = |of: &Array| of.take(&level, 0);
            let (far, last, sum) = (read(&waiting.first), read(&waiting.last), read(&waiting.rho));
            let all = &sum + &rho;
            let turning = turns(&far, p, &all)
                | turns(&far, &first, &(&sum + &first))
                | turns(&last, p, &(&last + &rho));
            (level + 1, far, all, turning)
        },
        start,
    );
    let put = |of: &Array, row: &Array| of.at_indices([&level]).set(row);
    let waiting = Waiting {
        first: put(&waiting.first, &first),
        last: put(&waiting.last, p),
        rho: put(&waiting.rho, &rho),
    };
    (first, rho, turning, waiting)
}
