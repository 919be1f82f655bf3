//! A trajectory of the no-U-turn sampler, which is doubled forwards or backwards until it turns.
//! How its halves are made is told in `subtree`, and in which loops in `nuts` and `flat`.

use super::dynamics::{Moving, Point};
use super::metropolis::either;
use super::subtree::{Subtree, turns};
use probpipe_trace::{Array, DType, Key, Tree, select, uniform_of, zeros_of};

/// What is known of a step of [`Nuts`](super::Nuts).
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct NutsInfo {
    /// The mean over the trajectory of the probability with which Metropolis would accept a point
    /// of it, which goes with the step size.
    pub acceptance: Array,
    /// How often the trajectory was doubled, `i32`.
    pub depth: Array,
    /// How many steps of the dynamics were made, each with one gradient, `i32`.
    pub steps: Array,
    /// Whether the energy has grown by more than 1,000 or is not finite.
    pub diverging: Array,
    /// The energy at the start of the trajectory.
    pub energy: Array,
}

/// A trajectory so far.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub(super) struct Trajectory {
    /// Its ends in time.
    left: Moving,
    right: Moving,
    /// The sum of its momenta.
    rho: Array,
    /// The point that is proposed.
    pub chosen: Point,
    /// The density of all points in units of that of the start.
    pub weight: Array,
    /// How often it was doubled.
    pub depth: Array,
    steps: Array,
    acceptance: Array,
    turning: Array,
    diverging: Array,
}

/// What chance says of a doubling.
#[derive(Tree, Debug)]
#[tree(crate = probpipe_trace)]
pub(super) struct Doubling {
    /// Where to.
    pub forwards: Array,
    /// A number by which a point of the new half is taken, or none.
    chance: Array,
    /// For the points.
    pub points: Key,
}

impl Clone for Doubling {
    fn clone(&self) -> Doubling {
        let (forwards, chance) = (self.forwards.clone(), self.chance.clone());
        Doubling { forwards, chance, points: self.points.reuse() }
    }
}

impl Doubling {
    /// One that is not made.
    pub fn none(key: &Key, dtype: DType) -> Doubling {
        Doubling { forwards: Array::from(false), chance: zeros_of(dtype, ()), points: key.reuse() }
    }

    /// Of a trajectory with this key, after so many others.
    pub fn new(key: &Key, depth: &Array, dtype: DType) -> Doubling {
        let (for_choices, points) = key.reuse().fold_in(depth).split();
        let chances = uniform_of(dtype, for_choices, [2]);
        Doubling { forwards: chances.at(0).lt(0.5), chance: chances.at(1), points }
    }
}

impl Trajectory {
    /// A point alone.
    pub fn from(start: Moving, zero: &Array) -> Trajectory {
        Trajectory {
            rho: start.momentum.clone(),
            left: start.clone(),
            chosen: start.point.clone(),
            right: start,
            weight: zero + 1.0,
            depth: Array::from(0i32),
            steps: Array::from(0i32),
            acceptance: zero.clone(),
            turning: Array::from(false),
            diverging: Array::from(false),
        }
    }

    /// Whether it is doubled again.
    pub fn goes_on(&self, max_depth: usize) -> Array {
        self.depth.lt(max_depth as i32) & !&self.turning & !&self.diverging
    }

    /// The end that a new half begins at.
    pub fn end(&self, forwards: &Array) -> Moving {
        either(forwards, self.right.clone(), self.left.clone())
    }

    /// With as many points again, before or after it.
    pub fn with(self, new: Subtree, doubling: &Doubling) -> Trajectory {
        let (t, Doubling { forwards, chance, .. }) = (self, doubling);
        let inner = select(forwards, &t.right.momentum, &t.left.momentum);
        let far = select(forwards, &t.left.momentum, &t.right.momentum);
        let whole = !&new.turning & !&new.diverging;
        // Rather a point of the new half: with the ratio of the halves, not with its part of both.
        let take = whole & (chance * &t.weight).lt(&new.weight);
        let outer = &new.end.momentum;
        let rho = &t.rho + &new.rho;
        // Over all of it, and over each half with the first point of the other.
        let turning = turns(&far, outer, &rho)
            | turns(&far, &new.first, &(&t.rho + &new.first))
            | turns(&inner, outer, &(&inner + &new.rho));
        Trajectory {
            left: either(forwards, t.left, new.end.clone()),
            right: either(forwards, new.end, t.right),
            rho,
            chosen: either(&take, new.chosen, t.chosen),
            weight: t.weight + new.weight,
            depth: t.depth + 1,
            steps: t.steps + new.steps,
            acceptance: t.acceptance + new.acceptance,
            turning: turning | new.turning,
            diverging: new.diverging,
        }
    }

    /// The point that it leads to, and what is known of it; `energy` is that of the start.
    pub fn result(&self, energy: &Array) -> (Point, NutsInfo) {
        let acceptance = &self.acceptance / self.steps.cast(energy.dtype());
        let (depth, steps) = (self.depth.clone(), self.steps.clone());
        let (diverging, energy) = (self.diverging.clone(), energy.clone());
        (self.chosen.clone(), NutsInfo { acceptance, depth, steps, diverging, energy })
    }
}
