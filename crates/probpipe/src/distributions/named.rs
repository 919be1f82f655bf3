//! A distribution under a name: a part of a joint one.

use probpipe_trace::{Array, Flatten, Rebuild, Result, Tree};

/// A distribution under a name.
#[derive(Clone, Debug)]
pub struct Named<D> {
    pub(super) name: String,
    pub(super) distribution: D,
}

impl<D> Named<D> {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The distribution.
    pub fn distribution(&self) -> &D {
        &self.distribution
    }
}

impl<D: Tree> Tree for Named<D> {
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
        into.fixed(&self.name);
        self.distribution.flatten(into);
    }

    fn rebuild(from: &mut Rebuild<'_>) -> Result<Self> {
        Ok(Named { name: from.fixed()?, distribution: D::rebuild(from)? })
    }

    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        self.distribution.leaves_mut(visit);
    }
}
