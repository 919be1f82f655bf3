//! Pathfinder (L. Zhang, B. Carpenter, A. Gelman, A. Vehtari, 2022, "Pathfinder: parallel
//! quasi-Newton variational inference").

use super::normal::Approximation;
use crate::inference::Target;
use crate::optimize::{Lbfgs, trajectory};
use probpipe_trace::{Array, Key, Tree, eye, select};
use probpipe_transforms::vmap;

/// The best of the normal distributions that L-BFGS sees on its way to the mode: each place on the
/// way, with the inverse Hessian known there, gives one, a Newton step away, and the one with the
/// largest estimate of the evidence lower bound is taken. A factor of the covariance is computed
/// for each: `n^3` operations a step.
///
/// ```
/// use probpipe::inference::{Target, vi::Pathfinder};
/// use probpipe::prelude::*;
/// let density = |x: Array| Normal::new([1.0, -2.0], [0.5, 2.0]).log_prob(&x).sum();
/// let target = Target::new(density, zeros([2]))?;
/// let q = jit(|key: Key| Pathfinder::default().fit(key, &target))(Key::new(0));
/// assert!((q.approximation.loc.at(0).item::<f32>()? - 1.0).abs() < 0.1);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pathfinder {
    /// The search.
    pub search: Lbfgs,
    /// Most places on the way.
    pub steps: usize,
    /// Draws for each estimate of the bound.
    pub draws: usize,
}

impl Default for Pathfinder {
    fn default() -> Pathfinder {
        Pathfinder { search: Lbfgs::default(), steps: 40, draws: 25 }
    }
}

/// What [`Pathfinder::fit`] gives.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Found {
    /// The best distribution.
    pub approximation: Approximation,
    /// The estimates of the bound along the way, `[steps]`; `-inf` where there is none.
    pub elbos: Array,
    /// The places along the way, `[steps, n]`.
    pub path: Array,
}

impl Pathfinder {
    /// The best distribution on the way from the target's start.
    #[track_caller]
    pub fn fit<T>(&self, key: Key, target: &Target<T>) -> Found {
        let loss = |z: Array| -target.log_density(&z);
        let (x, gradients, pairs) = trajectory(&loss, target.start(), self.search, self.steps);
        let n = target.size();
        let each = |(x, gradient, pairs, key): (Array, Array, crate::optimize::Pairs, Key)| {
            let unit = eye(n).cast(x.dtype());
            let inverse = vmap(|e: Array| pairs.apply(&e, &pairs.scale))(unit);
            // Symmetric but for rounding.
            let inverse = (&inverse + inverse.transpose()) * 0.5;
            let q =
                Approximation { loc: &x - inverse.dot(&gradient), scale_tril: inverse.cholesky() };
            let elbo = q.elbo(key, self.draws, target);
            let elbo = select(&elbo.is_finite(), &elbo, f64::NEG_INFINITY);
            (q, elbo)
        };
        let keys = key.split_batch(self.steps);
        let (all, elbos) = vmap(each)((x.clone(), gradients, pairs, keys));
        let best = elbos.argmax(0);
        let pick = |array: &Array| array.take(&best, 0);
        Found { approximation: all.map(pick), elbos, path: x }
    }
}
