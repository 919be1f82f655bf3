//! A generative function behind functions that choose nothing: of its arguments, or of its value.

use super::GenerativeFunction;
use super::source::Source;
use super::subtrace::Subtrace;
use probpipe_trace::{Tree, without_location};
use std::fmt;
use std::marker::PhantomData;

/// See [`GenerativeFunction::contramap`].
pub struct Contramapped<G, F, B> {
    function: G,
    before: F,
    args: PhantomData<fn(B)>,
}

impl<G, F, B> Contramapped<G, F, B> {
    pub(super) fn new(function: G, before: F) -> Contramapped<G, F, B> {
        Contramapped { function, before, args: PhantomData }
    }
}

impl<G: Clone, F: Clone, B> Clone for Contramapped<G, F, B> {
    fn clone(&self) -> Self {
        Contramapped::new(self.function.clone(), self.before.clone())
    }
}

impl<G: Copy, F: Copy, B> Copy for Contramapped<G, F, B> {}

impl<G: fmt::Debug, F, B> fmt::Debug for Contramapped<G, F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Contramapped").field(&self.function).finish()
    }
}

impl<G, F, B> GenerativeFunction for Contramapped<G, F, B>
where
    G: GenerativeFunction,
    F: Fn(B) -> G::Args,
    B: Tree + Clone,
{
    type Args = B;
    type Value = G::Value;

    #[track_caller]
    fn trace(&self, source: Source, args: B) -> (Subtrace, G::Value) {
        let args = without_location(|| (self.before)(args));
        self.function.trace(source, args)
    }

    fn settled(&self) -> bool {
        self.function.settled()
    }
}
