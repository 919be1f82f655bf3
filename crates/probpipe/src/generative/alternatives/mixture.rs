//! Mixtures: which of several generative functions runs is a choice itself.

use super::Alternatives;
use super::branches::Switch;
use crate::distributions::CategoricalLogits;
use crate::generative::source::Source;
use crate::generative::subtrace::Subtrace;
use crate::generative::{Choices, GenerativeFunction};
use probpipe_trace::Array;

/// See [`Alternatives::mixture`].
#[derive(Clone, Copy, Debug)]
pub struct Mixture<B> {
    branches: Switch<B>,
}

impl<B: Alternatives> Mixture<B> {
    pub(super) fn new(functions: B) -> Mixture<B> {
        Mixture { branches: Switch { branches: functions } }
    }
}

impl<B: Alternatives> GenerativeFunction for Mixture<B> {
    type Args = (Array, B::Args);
    type Value = B::Value;

    #[track_caller]
    fn trace(&self, source: Source, (logits, args): Self::Args) -> (Subtrace, B::Value) {
        let mut choices = Choices::new(source);
        let component = choices.sample("component", CategoricalLogits::new(logits));
        let value = choices.run("draw", &self.branches, (component, args));
        (choices.finish(&value), value)
    }

    fn settled(&self) -> bool {
        self.branches.settled()
    }
}
