//! Steps by an inverse Hessian that is made of the last few steps and gradients.

use super::{Optimizer, Schedule};
use crate::optimize::pairs::Pairs;
use crate::optimize::scale::first_scale;
use crate::record::ravel;
use probpipe_trace::{Array, ArrayType, DType, Scalar, Tree, full_typed, here, select, zeros_like};

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
