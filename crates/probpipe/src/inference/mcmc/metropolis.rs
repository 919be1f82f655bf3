//! Metropolis's rule, by which proposals become steps (N. Metropolis et al., 1953; W. K. Hastings,
//! 1970), and the state of kernels that know no gradients.

use super::kernel::{Located, LogDensity};
use probpipe_trace::{Array, Key, Tree, select, tree_map, uniform_of};

/// A position, with the density there.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Place {
    /// The position.
    pub position: Array,
    /// The logarithm of the density there, a scalar.
    pub log_density: Array,
}

impl Located for Place {
    fn position(&self) -> &Array {
        &self.position
    }

    fn log_density(&self) -> Option<&Array> {
        Some(&self.log_density)
    }
}

impl Place {
    /// At a position.
    #[track_caller]
    pub fn at(log_density: LogDensity<'_>, position: Array) -> Place {
        let value = log_density(position.clone());
        Place { position, log_density: value }
    }
}

/// What is known of a step that was proposed, and accepted or not.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct MetropolisInfo {
    /// The probability with which it was accepted.
    pub acceptance: Array,
    /// Whether it was.
    pub accepted: Array,
}

/// What was proposed, or what was there before: by the logarithm of the ratio of the densities, of
/// the way there over that of the way back. A ratio that is not a number, or a density that is not
/// finite, is never accepted.
pub(super) fn metropolis<S: Tree>(
    key: Key,
    log_ratio: &Array,
    (new, log_density): (S, &Array),
    old: S,
) -> (S, MetropolisInfo) {
    let sound = log_density.is_finite() & !log_ratio.is_nan();
    let acceptance = select(sound, log_ratio.minimum(0.0).exp(), 0.0);
    let accepted = uniform_of(log_ratio.dtype(), key, ()).lt(&acceptance);
    (either(&accepted, new, old), MetropolisInfo { acceptance, accepted })
}

/// One of two trees of the same structure.
pub(crate) fn either<S: Tree>(first: &Array, a: S, b: S) -> S {
    tree_map(|a: Array, b: Array| select(first, a, b), a, b)
}
