//! Adam, which scales every number's steps by the size of its own gradients.

use super::{Optimizer, like};
use probpipe_trace::ArrayType;
use probpipe_trace::{Array, DType, Scalar, Tree, full_typed, tree_map, tree_map3, zeros_like};

/// Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1): with running means `m` of the gradients
/// and `v` of their squares, both divided by what they lack of weight in the first steps, updates
/// of `-rate m / (sqrt(v + eps_root) + eps)`.
///
/// ```
/// use probpipe::optimize::{Adam, Optimizer};
/// use probpipe::prelude::*;
/// let adam = Adam { b1: array(0.8), ..Adam::new(0.1) };
/// let x = array([1.0, 2.0]);
/// let (step, _) = adam.update(array([1e-3, -20.0]), adam.init(&x), &x);
/// // The first step has the same size along every axis.
/// assert!((step.at(0).item::<f32>()? + 0.1).abs() < 1e-5);
/// assert!((step.at(1).item::<f32>()? - 0.1).abs() < 1e-5);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Adam {
    /// The learning rate, a number.
    pub rate: Array,
    /// The weight of the past in the mean of the gradients, in [0, 1).
    pub b1: Array,
    /// The weight of the past in the mean of their squares, in [0, 1).
    pub b2: Array,
    /// What is added to the root, so that it is not zero.
    pub eps: Array,
    /// What is added inside of the root: positive where the fit itself is to be differentiated.
    pub eps_root: Array,
}

impl Adam {
    /// With the settings of its authors: 0.9, 0.999 and 1e-8.
    pub fn new(rate: impl Into<Array>) -> Adam {
        let [b1, b2, eps, eps_root] = [0.9, 0.999, 1e-8, 0.0].map(Array::from);
        Adam { rate: rate.into(), b1, b2, eps, eps_root }
    }
}

/// What Adam remembers.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct AdamState<P> {
    /// Number of steps so far, `i32`.
    pub count: Array,
    /// Running mean of the gradients.
    pub mean: P,
    /// Running mean of their squares.
    pub square: P,
}

impl Optimizer for Adam {
    type State<P: Tree + Clone> = AdamState<P>;

    fn init<P: Tree + Clone>(&self, params: &P) -> AdamState<P> {
        let zeros = params.clone().map(zeros_like);
        let count = full_typed(&ArrayType::scalar(DType::I32), Scalar::Int(0));
        AdamState { count, mean: zeros.clone(), square: zeros }
    }

    fn update<P: Tree + Clone>(
        &self,
        gradients: P,
        state: AdamState<P>,
        _: &P,
    ) -> (P, AdamState<P>) {
        let count = state.count + 1;
        let mix = |weight: &Array, old: Array, new: Array| {
            let weight = like(&old, weight);
            &weight * old + (1.0 - weight) * new
        };
        let mean = tree_map(|m, g| mix(&self.b1, m, g), state.mean, gradients.clone());
        let square = tree_map(|v, g| mix(&self.b2, v, g.square()), state.square, gradients.clone());
        // The weights of all gradients so far add up to this.
        let weight = |of: &Array, x: &Array| 1.0 - like(x, of).pow(count.cast(x.dtype()));
        let step = |m: Array, v: Array, _: Array| {
            let (m, v) = (&m / weight(&self.b1, &m), &v / weight(&self.b2, &v));
            let root = (&v + like(&v, &self.eps_root)).sqrt();
            -(like(&m, &self.rate) * m / (root + like(&v, &self.eps)))
        };
        let updates = tree_map3(step, mean.clone(), square.clone(), gradients);
        (updates, AdamState { count, mean, square })
    }
}
