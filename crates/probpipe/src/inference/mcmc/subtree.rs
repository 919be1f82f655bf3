//! A stretch of a trajectory of `2^depth` points, made one after the other: the tree that the
//! no-U-turn criterion looks at exists as the stack of its finished left branches alone.

use super::dynamics::{Integrator, Moving, Point};
use super::kernel::LogDensity;
use super::metric::Metric;
use super::metropolis::either;
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

/// A stretch that is being made.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub(super) struct Growing {
    /// What there is of it.
    pub tree: Subtree,
    waiting: Waiting,
    /// What the sum of the weights has to reach for another point to be taken.
    level: Array,
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

impl Subtree {
    fn of(from: Moving, zero: &Array) -> Subtree {
        Subtree {
            first: from.momentum.clone(),
            rho: from.momentum.clone(),
            chosen: from.point.clone(),
            weight: zero.clone(),
            steps: Array::from(0i32),
            acceptance: zero.clone(),
            turning: Array::from(false),
            diverging: Array::from(false),
            end: from,
        }
    }
}

impl Growing {
    /// Nothing yet.
    pub fn from(from: Moving, zero: &Array, max_depth: usize) -> Growing {
        let p = &from.momentum;
        let stack = zeros_of(p.dtype(), [max_depth.max(1), p.size()]);
        let waiting = Waiting { first: stack.clone(), last: stack.clone(), rho: stack };
        Growing { tree: Subtree::of(from, zero), waiting, level: zero.clone() }
    }

    /// Nothing of another stretch, where it is time for that.
    pub fn or_from(self, time: &Array, from: Moving, zero: &Array) -> Growing {
        let Growing { tree, waiting, level } = self;
        let tree = either(time, Subtree::of(from, zero), tree);
        // What waits there is written over before it is read.
        Growing { tree, waiting, level: select(time, zero, level) }
    }

    /// Whether it goes on, up to `2^depth` points.
    pub fn goes_on(&self, depth: &Array) -> Array {
        let Subtree { steps, turning, diverging, .. } = &self.tree;
        steps.lt(Array::from(1i32) << depth) & !turning & !diverging
    }

    /// The branches that the next point completes, as bits: all ones at the end of its number.
    pub fn completed(&self) -> Array {
        let i = &self.tree.steps;
        i & (-i - 2i32)
    }
}

impl Leapfrog<'_> {
    /// The `2^depth` points after `from`, or as many as there are before it turns or diverges.
    pub fn subtree(&self, from: Moving, forwards: &Array, depth: &Array, key: &Key) -> Subtree {
        let more = |growing: Growing| growing.goes_on(depth);
        let next = |growing: Growing| self.longer(growing, forwards, key, None);
        let zero = self.energy * 0.0;
        while_loop(more, next, Growing::from(from, &zero, self.max_depth)).tree
    }

    /// With the next point; of trajectories side by side with the most branches that one of them
    /// completes.
    ///
    /// A point is taken over as soon as the sum of the weights has reached a level: that of the
    /// sum when the last one was taken, divided by a uniform number. No later one is then taken
    /// with the probability that is right, the ratio of the sums, and few numbers are drawn.
    pub fn longer(
        &self,
        growing: Growing,
        forwards: &Array,
        key: &Key,
        completed: Option<&Array>,
    ) -> Growing {
        let own = growing.completed();
        let Growing { tree: t, waiting, level } = growing;
        let size = select(forwards, self.step_size, -self.step_size);
        let end = self.integrator.step(self.log_density, self.metric, &size, t.end);
        let gain = self.energy - end.energy();
        let sound = gain.ge(-1000.0) & end.point.log_density.is_finite();
        // Weights that no float holds are cut off: points that the start is e^-70 of.
        let most = if gain.dtype() == DType::F64 { 600.0 } else { 70.0 };
        let density = select(&sound, gain.minimum(most).exp(), 0.0);
        let weight = &t.weight + &density;
        let take = weight.ge(&level) & &sound;
        let level = cond(
            &take,
            (weight.clone(), level, t.steps.clone()),
            |(weight, _, i)| {
                let chance = uniform_of(weight.dtype(), key.reuse().fold_in(i), ());
                weight / chance
            },
            |(_, level, _)| level,
        );
        let merged = waiting.merged(&own, completed, &end.momentum);
        let tree = Subtree {
            first: merged.first,
            rho: merged.rho,
            chosen: either(&take, end.point.clone(), t.chosen),
            weight,
            steps: t.steps + 1,
            acceptance: t.acceptance + density.minimum(1.0),
            turning: merged.turning,
            diverging: !sound,
            end,
        };
        Growing { tree, waiting: merged.waiting, level }
    }
}

/// The branch that ends with a point.
struct Merged {
    /// The momentum at its first point.
    first: Array,
    rho: Array,
    turning: Array,
    /// What waits after it.
    waiting: Waiting,
}

impl Waiting {
    /// The branch that ends with a point of momentum `p`: every one of the bits `own` is a left
    /// half that waits for what there is of it so far. `most` has the bits of `own` and those of
    /// others that are side by side.
    fn merged(self, own: &Array, most: Option<&Array>, p: &Array) -> Merged {
        let one = Array::from(1i32);
        let has = |bits: &Array, level: &Array| ((bits >> level) & &one).eq(1);
        let none = (Array::from(0i32), Array::from(0i32));
        let start = (none, p.clone(), p.clone(), Array::from(false));
        type Branch = ((Array, Array), Array, Array, Array);
        let more = |((level, _), _, _, turning): Branch| match most {
            None => has(own, &level) & !turning,
            Some(most) => has(most, &level),
        };
        let ((_, place), first, rho, turning) = while_loop(
            more,
            |((level, place), first, rho, turning): Branch| {
                let read = |of: &Array| of.take(&level, 0);
                let (far, last, sum) = (read(&self.first), read(&self.last), read(&self.rho));
                let all = &sum + &rho;
                let bends = turns(&far, p, &all)
                    | turns(&far, &first, &(&sum + &first))
                    | turns(&last, p, &(&last + &rho));
                if most.is_none() {
                    return ((&level + 1, level + 1), far, all, bends);
                }
                // What turned in a smaller part is not looked at in larger ones.
                let goes = has(own, &level) & !&turning;
                let place = place + goes.cast(DType::I32);
                let (first, rho) = (select(&goes, far, first), select(&goes, all, rho));
                ((level + 1, place), first, rho, turning | (goes & bends))
            },
            start,
        );
        let put = |of: &Array, row: &Array| of.at_indices([&place]).set(row);
        let waiting = Waiting {
            first: put(&self.first, &first),
            last: put(&self.last, p),
            rho: put(&self.rho, &rho),
        };
        Merged { first, rho, turning, waiting }
    }
}
