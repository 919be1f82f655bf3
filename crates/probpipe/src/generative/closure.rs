//! Closures as generative functions.

use super::source::Source;
use super::subtrace::Subtrace;
use super::{Choices, GenerativeFunction};
use probpipe_trace::{Tree, without_location};
use std::fmt;
use std::marker::PhantomData;

/// A generative function made by [`generative`]. It can be copied where its closure can be, as one
/// that captures nothing or references only.
pub struct Generative<F, M> {
    body: F,
    marker: PhantomData<fn() -> M>,
}

/// A generative function: a closure that draws named random choices through its handle. Its other
/// parameters are trees, which calls take as one tuple; one alone is taken as it is.
///
/// ```
/// use probpipe::prelude::*;
/// let point = generative(|t: &mut Choices, mean: Array, std: Array| {
///     t.sample("pos", Normal::new(mean, std))
/// });
/// let trace = point.simulate(Key::new(0), (1.0, 2.0));
/// let score = Normal::new(1.0, 2.0).log_prob(&trace.choices()["pos"]);
/// assert_eq!(trace.score().item::<f32>()?, score.item::<f32>()?);
/// # Ok::<(), probpipe::Error>(())
/// ```
pub fn generative<M, F: Body<M>>(body: F) -> Generative<F, M> {
    Generative { body, marker: PhantomData }
}

impl<F: Clone, M> Clone for Generative<F, M> {
    fn clone(&self) -> Self {
        Generative { body: self.body.clone(), marker: PhantomData }
    }
}

impl<F: Copy, M> Copy for Generative<F, M> {}

impl<F, M> fmt::Debug for Generative<F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Generative(<function>)")
    }
}

/// Closures that [`generative`] takes: `|t: &mut Choices, ..|` with up to six trees behind the
/// handle. `M` is the closure's form, which the compiler finds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no generative function",
    note = "write a closure `|t: &mut Choices, x: Array, y: Array| ..` with the types of all \
            parameters; they and the result are trees that can be cloned"
)]
pub trait Body<M> {
    /// The parameters behind the handle.
    type Args: Tree + Clone;
    /// What it gives.
    type Value: Tree + Clone;

    /// Calls it.
    fn run(&self, choices: &mut Choices, args: Self::Args) -> Self::Value;
}

impl<F, R> Body<fn() -> R> for F
where
    F: Fn(&mut Choices) -> R,
    R: Tree + Clone,
{
    type Args = ();
    type Value = R;

    fn run(&self, choices: &mut Choices, (): ()) -> R {
        self(choices)
    }
}

impl<F, A, R> Body<fn(A) -> R> for F
where
    F: Fn(&mut Choices, A) -> R,
    A: Tree + Clone,
    R: Tree + Clone,
{
    type Args = A;
    type Value = R;

    fn run(&self, choices: &mut Choices, args: A) -> R {
        self(choices, args)
    }
}

macro_rules! bodies {
    ($(($($A:ident $index:tt),+))*) => {$(
        impl<F, $($A,)+ R> Body<fn($($A),+) -> R> for F
        where
            F: Fn(&mut Choices, $($A),+) -> R,
            $($A: Tree + Clone,)+
            R: Tree + Clone,
        {
            type Args = ($($A,)+);
            type Value = R;

            fn run(&self, choices: &mut Choices, args: Self::Args) -> R {
                self(choices, $(args.$index),+)
            }
        }
    )*};
}
bodies! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, G 5)
}

impl<F: Body<M>, M> GenerativeFunction for Generative<F, M> {
    type Args = F::Args;
    type Value = F::Value;

    #[track_caller]
    fn trace(&self, source: Source, args: F::Args) -> (Subtrace, F::Value) {
        let mut choices = Choices::new(source);
        // The lines of a closure are its own.
        let value = without_location(|| self.body.run(&mut choices, args));
        (choices.finish(&value), value)
    }
}
