//! A rule around another that keeps it from gradients that are no numbers.

use super::Optimizer;
use probpipe_trace::{
    Array, ArrayType, DType, Flatten, Scalar, Tree, full_typed, select, tree_map, zeros_like,
};

/// Leaves parameters and the state of the rule inside as they are in steps whose gradients are not
/// all finite, and counts those steps.
///
/// ```
/// use probpipe::optimize::{Adam, Optimizer, SkipNotFinite};
/// use probpipe::prelude::*;
/// let optimizer = SkipNotFinite(Adam::new(0.1));
/// let x = array([1.0, 2.0]);
/// let (step, state) = optimizer.update(array([f32::NAN, 1.0]), optimizer.init(&x), &x);
/// assert_eq!(step.to_vec::<f32>()?, [0.0, 0.0]);
/// assert_eq!(state.skipped.item::<i32>()?, 1);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SkipNotFinite<O>(
    /// The rule inside.
    pub O,
);

/// What [`SkipNotFinite`] remembers.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Guarded<S> {
    /// The state of the rule inside.
    pub inner: S,
    /// How many steps were left out so far, `i32[]`.
    pub skipped: Array,
}

impl<O: Optimizer> Optimizer for SkipNotFinite<O> {
    type State<P: Tree + Clone> = Guarded<O::State<P>>;

    fn init<P: Tree + Clone>(&self, params: &P) -> Self::State<P> {
        let skipped = full_typed(&ArrayType::scalar(DType::I32), Scalar::Int(0));
        Guarded { inner: self.0.init(params), skipped }
    }

    fn update<P: Tree + Clone>(
        &self,
        gradients: P,
        state: Self::State<P>,
        params: &P,
    ) -> (P, Self::State<P>) {
        let each = Flatten::of(&gradients).leaves.into_iter().map(|g| g.is_finite().all());
        let Some(finite) = each.reduce(|a, b| a & b) else {
            let (updates, inner) = self.0.update(gradients, state.inner, params);
            return (updates, Guarded { inner, skipped: state.skipped });
        };
        // What is not a number must not reach derivatives of the step either.
        let safe = gradients.map(|g| select(&finite, g, zeros_like(g)));
        let (updates, inner) = self.0.update(safe, state.inner.clone(), params);
        let keep = |new: Array, old: Array| select(&finite, new, old);
        let inner = tree_map(keep, inner, state.inner);
        let updates = updates.map(|u| select(&finite, u, zeros_like(u)));
        let skipped = state.skipped + (!finite).cast(DType::I32);
        (updates, Guarded { inner, skipped })
    }
}
