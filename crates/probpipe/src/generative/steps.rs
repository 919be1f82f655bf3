//! Runs one after another, as the steps of one loop.

use super::GenerativeFunction;
use super::source::Source;
use super::subtrace::Subtrace;
use probpipe_trace::{Array, Tree, arange, here, scan, with_location};

/// See [`GenerativeFunction::scan`].
#[derive(Clone, Copy, Debug)]
pub struct Scan<G> {
    pub(super) function: G,
}

impl<C, X, Y, G> GenerativeFunction for Scan<G>
where
    C: Tree + Clone,
    X: Tree + Clone,
    Y: Tree + Clone,
    G: GenerativeFunction<Args = (C, X), Value = (C, Y)>,
{
    type Args = (C, X);
    type Value = (C, Y);

    #[track_caller]
    fn trace(&self, source: Source, (carry, xs): (C, X)) -> (Subtrace, (C, Y)) {
        let location = here();
        // Without an axis to go over, the loop itself says so.
        let n = xs.leaves().first().and_then(|x| x.ty().ok()?.shape.first().copied());
        let sources = source.split(n.unwrap_or(1));
        let (carry, (runs, ys)) = scan(carry, (sources, xs), |carry, (source, x)| {
            let (run, (carry, y)) =
                with_location(location, || self.function.trace(source, (carry, x)));
            (carry, (run, y))
        });
        (Subtrace::stacked(runs), (carry, ys))
    }

    fn settled(&self) -> bool {
        self.function.settled()
    }
}

/// See [`GenerativeFunction::unfold`].
#[derive(Clone, Copy, Debug)]
pub struct Unfold<G> {
    pub(super) function: G,
    pub(super) n: usize,
}

impl<S, G> GenerativeFunction for Unfold<G>
where
    S: Tree + Clone,
    G: GenerativeFunction<Args = S, Value = S>,
{
    type Args = S;
    type Value = S;

    #[track_caller]
    fn trace(&self, source: Source, start: S) -> (Subtrace, S) {
        let location = here();
        let steps = (source.split(self.n), arange(self.n));
        let (_, (runs, states)) = scan(start, steps, |state, (source, _): (Source, Array)| {
            let (run, state) = with_location(location, || self.function.trace(source, state));
            (state.clone(), (run, state))
        });
        (Subtrace::stacked(runs), states)
    }

    fn settled(&self) -> bool {
        self.function.settled()
    }
}
