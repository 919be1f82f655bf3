//! An inverse of second derivatives that is known from the last few steps and gradients.

use super::scale::first_scale;
use probpipe_trace::{Array, Tree, concat, select, zeros_of};

/// Steps and how gradients changed along them, the newest last.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Pairs {
    /// Steps `s`, `[memory, d]`.
    pub steps: Array,
    /// Changes `y` of the gradients, `[memory, d]`.
    pub changes: Array,
    /// `1 / (s . y)`, `[memory]`; 0 for pairs that do not count.
    pub weights: Array,
    /// The size of the inverse Hessian before the first pair, `s . y / y . y` of the newest one.
    pub scale: Array,
}

impl Pairs {
    /// Room for pairs, none of which counts; a first step against a gradient is no longer than 1.
    #[track_caller]
    pub(super) fn empty(gradient: &Array, memory: usize) -> Pairs {
        let none = zeros_of(gradient.dtype(), [memory, gradient.size()]);
        let weights = zeros_of(gradient.dtype(), [memory]);
        Pairs { steps: none.clone(), changes: none, weights, scale: first_scale(gradient) }
    }

    /// With another pair, if the function bends upwards along it and `counts` holds.
    #[track_caller]
    pub(super) fn with(&self, s: &Array, y: &Array, counts: &Array) -> Pairs {
        let product = s.dot(y);
        let good = counts & product.gt(0.0);
        let weight = select(&good, select(&good, &product, 1.0).recip(), 0.0);
        let push = |rows: &Array, row: &Array| {
            let rest = rows.slice_axis(0, 1..rows.shape()[0]);
            select(&good, concat(&[rest, row.expand_dims(0)], 0), rows)
        };
        let squares = y.square().sum();
        let scale = &product / select(&good, squares, 1.0);
        Pairs {
            steps: push(&self.steps, s),
            changes: push(&self.changes, y),
            weights: push(&self.weights, &weight),
            scale: select(&good, scale, &self.scale),
        }
    }

    /// The inverse Hessian times a vector, where the Hessian before the first pair is `1 / scale`.
    #[track_caller]
    pub(super) fn apply(&self, gradient: &Array, scale: &Array) -> Array {
        let memory = self.steps.shape()[0] as isize;
        let mut q = gradient.clone();
        let mut taken = Vec::new();
        for i in (0..memory).rev() {
            let alpha = self.weights.at(i) * self.steps.at(i).dot(&q);
            q -= &alpha * self.changes.at(i);
            taken.push(alpha);
        }
        let mut r = q * scale;
        for (i, alpha) in (0..memory).zip(taken.into_iter().rev()) {
            let beta = self.weights.at(i) * self.changes.at(i).dot(&r);
            r += self.steps.at(i) * (alpha - beta);
        }
        r
    }
}
