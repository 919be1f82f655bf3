//! Learnable parameters: a generative function with its last argument kept beside it.

use super::choice_map::ChoiceMap;
use super::source::Source;
use super::subtrace::Subtrace;
use super::{GenerativeFunction, Trace};
use probpipe_trace::{Array, Tree, tree_map};
use probpipe_transforms::grad;

/// See [`GenerativeFunction::train`].
#[derive(Clone, Debug)]
pub struct Trained<G, P> {
    function: G,
    params: P,
}

/// Arguments whose last part, or all of which, is `P`.
#[diagnostic::on_unimplemented(
    message = "the last argument of the function is not `{P}`",
    note = "learnable parameters are the last parameter of its closure: \
            `|t: &mut Choices, x: Array, params: Record| ..`"
)]
pub trait TakesLast<P>: Sized {
    /// The other arguments.
    type Rest: Tree + Clone;

    /// All arguments.
    fn with(rest: Self::Rest, last: P) -> Self;
}

impl<P: Tree> TakesLast<P> for P {
    type Rest = ();

    fn with((): (), last: P) -> P {
        last
    }
}

impl<A: Tree + Clone, P: Tree> TakesLast<P> for (A, P) {
    type Rest = A;

    fn with(rest: A, last: P) -> (A, P) {
        (rest, last)
    }
}

macro_rules! tuples {
    ($(($($A:ident $index:tt),+))*) => {$(
        impl<$($A: Tree + Clone,)+ P: Tree> TakesLast<P> for ($($A,)+ P) {
            type Rest = ($($A,)+);

            fn with(rest: Self::Rest, last: P) -> Self {
                ($(rest.$index,)+ last)
            }
        }
    )*};
}
tuples! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
}

impl<G, P> Trained<G, P>
where
    G: GenerativeFunction,
    G::Args: TakesLast<P>,
    P: Tree + Clone,
{
    pub(super) fn new(function: G, params: P) -> Trained<G, P> {
        Trained { function, params }
    }

    /// The parameters.
    pub fn params(&self) -> &P {
        &self.params
    }

    /// The joint log-density of the choices of a trace at other parameters.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let params = Record::new([("slope", 0.3), ("level", 0.4)]);
    /// let model = generative(|t: &mut Choices, x: Array, p: Record| {
    ///     t.sample("y", Normal::new(&p["slope"] * x + &p["level"], 1.0))
    /// })
    /// .train(params.clone());
    /// // Many at once: 100 traces, each at the same parameters.
    /// let traces = vmap(|key| model.simulate(key, 2.0))(Key::new(0).split_batch(100));
    /// let scores = vmap(|trace| model.score_params(&trace, &params))(traces);
    /// assert_eq!(scores.shape(), [100]);
    /// ```
    #[track_caller]
    pub fn score_params(
        &self,
        trace: &Trace<<G::Args as TakesLast<P>>::Rest, G::Value>,
        params: &P,
    ) -> Array {
        self.score(&trace.choices(), trace.args().clone(), params.clone())
    }

    /// The gradient of the joint log-density of a trace's choices in the parameters, at those that
    /// the function has.
    #[track_caller]
    pub fn param_grad(&self, trace: &Trace<<G::Args as TakesLast<P>>::Rest, G::Value>) -> P {
        let choices = trace.choices();
        let args = trace.args();
        grad(|params: P| self.score(&choices, args.clone(), params))(self.params.clone())
    }

    /// Adds to the parameters. A trace that was made before has the score that it had; `update`
    /// makes one with the new parameters of it.
    #[track_caller]
    pub fn update_params(&mut self, updates: P) {
        self.params = tree_map(|p, u| p + u, self.params.clone(), updates);
    }

    #[track_caller]
    fn score(
        &self,
        choices: &ChoiceMap,
        args: <G::Args as TakesLast<P>>::Rest,
        params: P,
    ) -> Array {
        let source = Source::assess(choices.record().clone(), None);
        self.function.trace(source, G::Args::with(args, params)).0.score().clone()
    }
}

impl<G, P> GenerativeFunction for Trained<G, P>
where
    G: GenerativeFunction,
    G::Args: TakesLast<P>,
    P: Tree + Clone,
{
    type Args = <G::Args as TakesLast<P>>::Rest;
    type Value = G::Value;

    #[track_caller]
    fn trace(&self, source: Source, args: Self::Args) -> (Subtrace, G::Value) {
        self.function.trace(source, G::Args::with(args, self.params.clone()))
    }

    /// Its parameters move.
    fn settled(&self) -> bool {
        false
    }
}
