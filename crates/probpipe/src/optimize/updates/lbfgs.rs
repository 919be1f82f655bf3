//! Steps by an inverse Hessian that is made of the last few steps and gradients.

use super::{Optimizer, Schedule};
use crate::optimize::quasi_newton::first_scale;
use crate::record::ravel;
use probpipe_trace::{
    Array, ArrayType, DType, Scalar, Tree, concat, full_typed, here, select, zeros_like, zeros_of,
};

/// Gradients times an inverse Hessian made of the last `memory` steps (L-BFGS; Nocedal and Wright
/// 2006, algorithm 7.4), at a fixed learning rate. [`minimize`](crate::optimize::minimize) with
/// [`Lbfgs`](crate::optimize::Lbfgs) looks along every line for how far to go.
#[derive(Clone, Debug)]
pub struct ScaleByLbfgs {
    /// The learning rate.
    pub rate: Schedule,
    /// How many steps are remembered.
    pub memory: usize,
}

impl ScaleByLbfgs {
    /// With ten steps.
    pub fn new(rate: impl Into<Schedule>) -> ScaleByLbfgs {
        ScaleByLbfgs { rate: rate.into(), memory: 10 }
    }
}

/// What [`ScaleByLbfgs`] remembers, all leaves in one vector of `d` numbers.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct LbfgsState {
    /// Number of steps so far, `i32[]`.
    pub count: Array,
    /// The parameters before the last step, `[d]`.
    pub params: Array,
    /// The gradients there, `[d]`.
    pub gradients: Array,
    /// The last pairs.
    pub pairs: Pairs,
}

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
    pub(in crate::optimize) fn empty(gradient: &Array, memory: usize) -> Pairs {
        let none = zeros_of(gradient.dtype(), [memory, gradient.size()]);
        let weights = zeros_of(gradient.dtype(), [memory]);
        Pairs { steps: none.clone(), changes: none, weights, scale: first_scale(gradient) }
    }

    /// With another pair, if the function bends upwards along it and `counts` holds.
    #[track_caller]
    pub(in crate::optimize) fn with(&self, s: &Array, y: &Array, counts: &Array) -> Pairs {
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
    pub(in crate::optimize) fn apply(&self, gradient: &Array, scale: &Array) -> Array {
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

impl Optimizer for ScaleByLbfgs {
    type State<P: Tree + Clone> = LbfgsState;

    fn init<P: Tree + Clone>(&self, params: &P) -> LbfgsState {
        let x = ravel(params).map_or_else(|error| Array::invalid(error, here()), |(x, _)| x);
        let count = full_typed(&ArrayType::scalar(DType::I32), Scalar::Int(0));
        let pairs = Pairs::empty(&x, self.memory.max(1));
        LbfgsState { count, gradients: zeros_like(&x), params: x, pairs }
    }

    fn update<P: Tree + Clone>(
        &self,
        gradients: P,
        state: LbfgsState,
        params: &P,
    ) -> (P, LbfgsState) {
        let ((x, _), (g, unravel)) = match (ravel(params), ravel(&gradients)) {
            (Ok(x), Ok(g)) => (x, g),
            (Err(error), _) | (_, Err(error)) => {
                let location = here();
                return (gradients.map(|_| Array::invalid(error.clone(), location)), state);
            }
        };
        let later = state.count.gt(0);
        let pairs = state.pairs.with(&(&x - state.params), &(&g - state.gradients), &later);
        let scale = select(&later, &pairs.scale, first_scale(&g));
        let rate = self.rate.at(state.count.cast(x.dtype()));
        let updates = unravel.tree(&-(rate * pairs.apply(&g, &scale)));
        let location = here();
        let updates = updates
            .unwrap_or_else(|error| gradients.map(|_| Array::invalid(error.clone(), location)));
        (updates, LbfgsState { count: state.count + 1, params: x, gradients: g, pairs })
    }
}
