//! Runs over real numbers: every choice of a selection goes through the bijector onto the support
//! of its distribution, as that is when the run comes by it, and the volume counts in its score. So
//! a support may depend on choices before it, and choices may lie in lanes, loops and branches.

use super::selection::Selection;
use crate::bijectors::{Bijector, biject_to};
use crate::constraints::Constraint;
use probpipe_trace::{Error, Loc, with_location};

/// What stands for the choices of a selection.
#[derive(Clone, Debug, Default)]
pub(super) enum Free {
    /// Their values.
    #[default]
    No,
    /// Real numbers are given for them, and their values are recorded.
    Onto(Selection),
    /// Their values are given, and the real numbers are recorded.
    Real(Selection),
    /// Nothing yet: a run that sees what there is. What has no draws is in its middle.
    Middle,
}

impl PartialEq for Free {
    /// Runs that differ in this are never compared.
    fn eq(&self, other: &Free) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Free {
    pub(super) fn is_no(&self) -> bool {
        matches!(self, Free::No)
    }
}

/// The bijector onto the support of a choice.
pub(super) fn onto(
    path: &str,
    set: &Constraint,
    location: Loc,
) -> Result<Box<dyn Bijector>, Error> {
    with_location(location, || biject_to(set)).map_err(|error| {
        let message = format!("`{path}` is no function of real numbers: {}", error.message());
        Error::new(error.kind(), message)
            .at(location)
            .help("observe it, or sum it out with `.marginal(&addresses([..]))`")
    })
}
