//! Lists of generative functions of which one runs: tuples and arrays of them.

mod branches;
mod mixture;

pub use branches::{Masked, OrElse, Switch};
pub use mixture::Mixture;

use super::GenerativeFunction;
use super::source::Source;
use super::subtrace::Subtrace;
use probpipe_trace::Tree;

/// A generative function as a trait object.
#[doc(hidden)]
pub trait Branch<A, R> {
    /// See [`GenerativeFunction::trace`].
    fn run(&self, source: Source, args: A) -> (Subtrace, R);
    /// See [`GenerativeFunction::settled`].
    fn settled(&self) -> bool;
}

impl<G: GenerativeFunction> Branch<G::Args, G::Value> for G {
    #[track_caller]
    fn run(&self, source: Source, args: G::Args) -> (Subtrace, G::Value) {
        self.trace(source, args)
    }

    fn settled(&self) -> bool {
        GenerativeFunction::settled(self)
    }
}

/// Generative functions of one form, of which one runs: `(f, g)` or `[f, g]`. Tuples hold functions
/// of different types and have up to eight.
pub trait Alternatives: Sized {
    /// What each of them takes.
    type Args: Tree + Clone;
    /// What each of them gives.
    type Value: Tree + Clone;

    /// The functions in order.
    #[doc(hidden)]
    fn list(&self) -> Vec<&dyn Branch<Self::Args, Self::Value>>;

    /// Runs the function with a number, which is the first argument; the second one is what the
    /// functions take. The choices are those of all functions: those at one address must be of one
    /// type, and those that the function chosen does not make are zeros, which count nothing.
    ///
    /// An update that leads to another branch keeps the values of choices that both have. Others
    /// must be given: without them the weight is NaN. A regeneration draws them.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let near = generative(|t: &mut Choices, x: Array| t.sample("y", Normal::new(x, 0.1)));
    /// let far = generative(|t: &mut Choices, x: Array| t.sample("y", Normal::new(x, 10.0)));
    /// let either = (near, far).switch();
    /// let y = ChoiceMap::new([("y", 3.0)]);
    /// let (score, _) = either.assess(&y, (1, 2.0));
    /// let want = Normal::new(2.0, 10.0).log_prob(&array(3.0));
    /// assert_eq!(score.item::<f32>()?, want.item::<f32>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    fn switch(self) -> Switch<Self> {
        Switch { branches: self }
    }

    /// Draws which function runs: the first argument is the logarithms of their probabilities, up
    /// to a constant; the second one is what the functions take. The number is the choice
    /// `component`, the function runs under `draw`.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let part = |at: f64| generative(move |t: &mut Choices| t.sample("x", Normal::new(at, 1.0)));
    /// let mix = [part(-2.0), part(2.0)].mixture();
    /// let trace = mix.simulate(Key::new(0), (array([0.0, 1.0]), ()));
    /// assert_eq!(trace.choices().addresses(), ["component", "draw/x"]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    fn mixture(self) -> Mixture<Self> {
        Mixture::new(self)
    }
}

impl<G: GenerativeFunction, const N: usize> Alternatives for [G; N] {
    type Args = G::Args;
    type Value = G::Value;

    fn list(&self) -> Vec<&dyn Branch<G::Args, G::Value>> {
        self.iter().map(|function| function as &dyn Branch<G::Args, G::Value>).collect()
    }
}

macro_rules! tuples {
    ($(($($G:ident $index:tt),*))*) => {$(
        impl<G: GenerativeFunction, $($G),*> Alternatives for (G, $($G,)*)
        where
            $($G: GenerativeFunction<Args = G::Args, Value = G::Value>,)*
        {
            type Args = G::Args;
            type Value = G::Value;

            fn list(&self) -> Vec<&dyn Branch<G::Args, G::Value>> {
                vec![&self.0, $(&self.$index),*]
            }
        }
    )*};
}
tuples! {
    (A 1)
    (A 1, B 2)
    (A 1, B 2, C 3)
    (A 1, B 2, C 3, D 4)
    (A 1, B 2, C 3, D 4, E 5)
    (A 1, B 2, C 3, D 4, E 5, F 6)
    (A 1, B 2, C 3, D 4, E 5, F 6, H 7)
}
