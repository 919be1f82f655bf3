//! Gradient descent, with and without momentum.

use super::{Optimizer, like};
use probpipe_trace::{Array, Tree, tree_map, zeros_like};

/// Gradient descent: updates of `-rate` times the gradient or, with momentum, times the sum of all
/// gradients so far, each weighted by `momentum` once more at every step.
///
/// ```
/// use probpipe::optimize::{Optimizer, Sgd};
/// use probpipe::prelude::*;
/// let descent = Sgd::new(0.5);
/// let x = array(2.0);
/// let state = descent.init(&x);
/// let (step, _) = descent.update(array(3.0), state, &x);
/// assert_eq!(step.item::<f32>()?, -1.5);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sgd {
    /// The learning rate, a number.
    pub rate: Array,
    /// The weight of what was remembered, in [0, 1); none remembers nothing.
    pub momentum: Option<Array>,
    /// Whether the gradient is taken as if it were known where the momentum leads (Nesterov 1983).
    pub nesterov: bool,
}

impl Sgd {
    /// Without momentum.
    pub fn new(rate: impl Into<Array>) -> Sgd {
        Sgd { rate: rate.into(), momentum: None, nesterov: false }
    }
}

impl Optimizer for Sgd {
    /// The weighted sum of the gradients, if there is momentum.
    type State<P: Tree + Clone> = Option<P>;

    fn init<P: Tree + Clone>(&self, params: &P) -> Option<P> {
        self.momentum.is_some().then(|| params.clone().map(zeros_like))
    }

    fn update<P: Tree + Clone>(&self, gradients: P, state: Option<P>, _: &P) -> (P, Option<P>) {
        let descend = |sum: P| sum.map(|s| -(like(s, &self.rate) * s));
        let (Some(momentum), Some(sum)) = (&self.momentum, state) else {
            return (descend(gradients), None);
        };
        let remember = |g: Array, s: Array| like(&s, momentum) * s + g;
        let sum = tree_map(remember, gradients.clone(), sum);
        let ahead = match self.nesterov {
            true => tree_map(remember, gradients, sum.clone()),
            false => sum.clone(),
        };
        (descend(ahead), Some(sum))
    }
}
