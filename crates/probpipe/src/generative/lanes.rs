//! Independent runs side by side, as the lanes of one `vmap`.

use super::GenerativeFunction;
use super::source::Source;
use super::subtrace::Subtrace;
use probpipe_trace::{Array, Tree, arange, here};
use probpipe_transforms::{BatchAxes, vmap, vmap_axes};

/// See [`GenerativeFunction::repeat`].
#[derive(Clone, Copy, Debug)]
pub struct Repeat<G> {
    function: G,
    n: usize,
}

impl<G> Repeat<G> {
    pub(super) fn new(function: G, n: usize) -> Repeat<G> {
        Repeat { function, n }
    }
}

impl<G: GenerativeFunction> GenerativeFunction for Repeat<G> {
    type Args = G::Args;
    type Value = G::Value;

    #[track_caller]
    fn trace(&self, source: Source, args: G::Args) -> (Subtrace, G::Value) {
        // The number of the run is there to be mapped over where a source has no arrays.
        let lanes = (source.split(self.n), arange(self.n));
        let run = |(source, _): (Source, Array)| self.function.trace(source, args.clone());
        let (runs, value) = vmap(run)(lanes);
        (Subtrace::stacked(runs), value)
    }
}

/// See [`GenerativeFunction::mapped`].
#[derive(Clone, Debug)]
pub struct Mapped<G> {
    function: G,
    in_axes: BatchAxes,
}

impl<G> Mapped<G> {
    pub(super) fn new(function: G, in_axes: BatchAxes) -> Mapped<G> {
        Mapped { function, in_axes }
    }
}

impl<G: GenerativeFunction> GenerativeFunction for Mapped<G> {
    type Args = G::Args;
    type Value = G::Value;

    #[track_caller]
    fn trace(&self, source: Source, args: G::Args) -> (Subtrace, G::Value) {
        let location = here();
        let (n, args) = match self.in_axes.lanes(&args) {
            Ok(n) => (n, args),
            // One lane of arguments that all say why.
            Err(error) => (1, args.map(|_| Array::invalid(error.clone(), location))),
        };
        let run = |(source, args): (Source, G::Args)| self.function.trace(source, args);
        let axes = BatchAxes::Parts(vec![BatchAxes::Axis(0), self.in_axes.clone()]);
        let (runs, value) = vmap_axes(run, axes, 0)((source.split(n), args));
        (Subtrace::stacked(runs), value)
    }
}
