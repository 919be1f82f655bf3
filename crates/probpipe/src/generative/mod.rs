//! Generative functions: models written as programs that draw named random choices, whose interface
//! is made of ordinary functions. [`generative`] makes one of a closure; a distribution is one; and
//! methods make others of these: in lanes, in steps, by branches.
//!
//! ```
//! use probpipe::prelude::*;
//! let point = generative(|t: &mut Choices, mean: Array, std: Array| {
//!     t.sample("pos", Normal::new(mean, std))
//! });
//! let line = generative(|t: &mut Choices, x: Array, a: Array, b: Array| {
//!     t.sample("pos", Normal::new(a * x + b, 1.0))
//! });
//! let model = generative(|t: &mut Choices| {
//!     let a = t.sample("a", Uniform::new(-4.0, 4.0));
//!     let b = t.sample("b", Uniform::new(-3.0, 3.0));
//!     let x = t.call("x", point.repeat(100), (0.0, 1.0));
//!     t.call("y", line.mapped((0, None, None)), (x, a, b))
//! });
//! let trace = jit(|key| model.simulate(key, ()))(Key::new(314159));
//! assert_eq!(trace.choices()["x/pos"].shape(), [100]);
//!
//! // Draw the rest given what was seen; the weight is the density of that.
//! let seen = trace.choices().filter(&addresses(["x", "y"]));
//! let (trace, weight) = jit(|(key, seen)| model.importance(key, &seen, ()))((Key::new(1), seen));
//! assert!(weight.item::<f32>()? < 0.0);
//! let slopes = model.choice_grad(&trace, &addresses(["a", "b"]));
//! assert_eq!(slopes.addresses(), ["a", "b"]);
//! # Ok::<(), probpipe::Error>(())
//! ```
//!
//! # One run, several sources
//!
//! Every method of the interface is one run of the function, which takes each choice from what is
//! given, from a trace, or from a key (`source`), and records its value and log-density
//! (`subtrace`); weights are differences of what two runs recorded. What a function does with its
//! handle is thus written once, by [`GenerativeFunction::trace`].
//!
//! # What an update recomputes
//!
//! `update` and `regenerate` trace the run into a graph of its own, whose inputs are the arguments,
//! the choices of the trace and those that are given. A leaf of the new record (the value of a
//! choice, its log-density, what a call gave) that depends on no input that has changed is the
//! leaf of the old record, which then also stands where others need it; all that only led there is
//! never computed ([`recompute`](crate::graph::recompute)). An argument has changed unless it is
//! the very same array. So no part of a model need say what changed: it is read off the program.
//! A loop or a branch is one equation in this: if its inputs are reached, all of it is.
//!
//! That is so where programs are traced, as inside of `jit`; outside, every update runs all of the
//! function. What a closure captures counts as changed if it is a variable of an outer trace, so
//! that a model may be built anew in every step of a loop. A captured array with a value counts as
//! unchanged inside of `jit`: a trace belongs to the function that made it, and what is to vary is
//! an argument.

mod adapted;
mod address;
mod alternatives;
mod census;
mod chain;
mod choice;
mod choice_map;
mod choices;
mod closure;
mod display;
mod free;
mod lanes;
mod marginal;
mod pointwise;
mod reals;
mod selection;
mod source;
mod steps;
mod subtrace;
mod trace;
mod train;
mod union;
mod update;

pub use adapted::Contramapped;
pub use address::IntoAddress;
pub use alternatives::{Alternatives, Masked, Mixture, OrElse, Switch};
pub use chain::Chain;
pub use choice_map::ChoiceMap;
pub(crate) use choice_map::suggestion;
pub use choices::Choices;
pub use closure::{Body, Generative, generative};
pub use lanes::{Mapped, Repeat};
pub use marginal::Marginal;
pub(crate) use marginal::finite_values;
pub(crate) use pointwise::{culprit, pointwise};
pub(crate) use reals::{any_choices, chosen, prior_and_likelihood, real_choices};
pub use selection::{Selection, addresses};
pub use source::Source;
pub use steps::{Scan, Unfold};
pub use subtrace::Subtrace;
pub use trace::Trace;
pub use train::{TakesLast, Trained};
pub use update::Update;

use probpipe_trace::{Array, IntoTree, Key, Tree, here, with_location};
use probpipe_transforms::{BatchAxes, grad};
use std::rc::Rc;

/// A function that draws named random choices, and whose runs have a density.
///
/// Scores are log-densities. No method panics or gives a `Result`: a mistake (a choice without a
/// value, an address that is not there) makes results invalid, which say so where they are read.
/// All methods are traceable: they work inside [`jit`](crate::jit), [`grad`],
/// [`vmap`](crate::vmap) and loops.
pub trait GenerativeFunction: Sized {
    /// The arguments, as one tree.
    type Args: Tree + Clone;
    /// What it gives.
    type Value: Tree + Clone;

    /// One run: what was recorded, and what the function gives. All of the interface is made of
    /// it; who writes a generative function by hand passes `source` on to those it is made of.
    #[track_caller]
    fn trace(&self, source: Source, args: Self::Args) -> (Subtrace, Self::Value);

    /// Whether the function is the same in all its uses. One with learnable parameters is not: a
    /// trace that it made before they moved is computed anew as a whole.
    #[doc(hidden)]
    fn settled(&self) -> bool {
        true
    }

    /// Draws all choices.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let trace = Normal::new(2.0, 0.5).simulate(Key::new(0), ());
    /// let score = Normal::new(2.0, 0.5).log_prob(trace.value());
    /// assert_eq!(trace.score().item::<f32>()?, score.item::<f32>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[track_caller]
    fn simulate(
        &self,
        key: Key,
        args: impl IntoTree<Self::Args>,
    ) -> Trace<Self::Args, Self::Value> {
        let args = args.into_tree();
        let (record, value) = self.trace(Source::simulate(key), args.clone());
        Trace::new(args, value, record)
    }

    /// The joint log-density of these choices, which must be all that there are, and what the
    /// function gives with them.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let model = generative(|t: &mut Choices| {
    ///     let x = t.sample("x", Normal::new(0.0, 1.0));
    ///     t.sample("y", Normal::new(x, 1.0)) * 2.0
    /// });
    /// let (score, value) = model.assess(&ChoiceMap::new([("x", 0.0), ("y", 1.0)]), ());
    /// assert!((score.item::<f32>()? + 2.3378770).abs() < 1e-6);
    /// assert_eq!(value.item::<f32>()?, 2.0);
    /// // A choice that is missing.
    /// let (score, _) = model.assess(&ChoiceMap::new([("x", 0.0)]), ());
    /// assert!(score.checked().unwrap_err().message().contains("no value for the choice `y`"));
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[track_caller]
    fn assess(&self, choices: &ChoiceMap, args: impl IntoTree<Self::Args>) -> (Array, Self::Value) {
        let source = Source::assess(choices.record().clone(), None);
        let (record, value) = self.trace(source, args.into_tree());
        scored(record, value)
    }

    /// Draws the choices that are not given, each from its distribution given those before it. The
    /// weight is the log-density of the given ones in that run: an importance weight for what is
    /// drawn.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let model = generative(|t: &mut Choices| {
    ///     let x = t.sample("x", Normal::new(0.0, 1.0));
    ///     t.sample("y", Normal::new(x, 1.0))
    /// });
    /// let (trace, weight) = model.importance(Key::new(0), &ChoiceMap::new([("y", 1.0)]), ());
    /// let y = Normal::new(&trace.choices()["x"], 1.0).log_prob(&array(1.0));
    /// assert_eq!(weight.item::<f32>()?, y.item::<f32>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[track_caller]
    fn importance(
        &self,
        key: Key,
        choices: &ChoiceMap,
        args: impl IntoTree<Self::Args>,
    ) -> (Trace<Self::Args, Self::Value>, Array) {
        let args = args.into_tree();
        let given = choices.record();
        let source = Source::importance(key, given.clone());
        let (record, value) = self.trace(source, args.clone());
        let trace = Trace::new(args, value, record);
        let weight = update::weight_of_given(&trace.record, given);
        (trace, weight)
    }

    /// The trace with other values at the given addresses, with the arguments that it has. The
    /// weight is the log-density of the new choices less that of the old ones.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let model = generative(|t: &mut Choices| {
    ///     let x = t.sample("x", Normal::new(0.0, 1.0));
    ///     t.sample("y", Normal::new(x, 1.0))
    /// });
    /// let trace = model.simulate(Key::new(0), ());
    /// let new = model.update(&trace, &ChoiceMap::new([("y", 1.0)]));
    /// let change = (new.trace.score() - trace.score()).item::<f32>()?;
    /// assert!((new.weight.item::<f32>()? - change).abs() < 1e-5);
    /// assert_eq!(new.discarded["y"].item::<f32>()?, trace.value().item::<f32>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[track_caller]
    fn update(
        &self,
        trace: &Trace<Self::Args, Self::Value>,
        choices: &ChoiceMap,
    ) -> Update<Self::Args, Self::Value> {
        update::update(self, trace, trace.args.clone(), choices)
    }

    /// [`GenerativeFunction::update`] with other arguments.
    #[track_caller]
    fn update_args(
        &self,
        trace: &Trace<Self::Args, Self::Value>,
        args: impl IntoTree<Self::Args>,
        choices: &ChoiceMap,
    ) -> Update<Self::Args, Self::Value> {
        update::update(self, trace, args.into_tree(), choices)
    }

    /// The trace with the selected choices drawn again, each from its distribution given those
    /// before it. The weight is the change in the log-density of the other choices and of
    /// [factors](Choices::factor): what a Metropolis-Hastings step accepts by.
    #[track_caller]
    fn regenerate(
        &self,
        key: Key,
        trace: &Trace<Self::Args, Self::Value>,
        selection: &Selection,
    ) -> Update<Self::Args, Self::Value> {
        update::regenerate(self, key, trace, selection)
    }

    /// The part of the score that is of the selected choices: the sum of their log-densities, each
    /// given those before it. [Factors](Choices::factor) belong to no choice.
    #[track_caller]
    fn project(&self, trace: &Trace<Self::Args, Self::Value>, selection: &Selection) -> Array {
        update::project(&trace.record, selection)
    }

    /// The gradient of the joint log-density in the selected choices, at the values that the trace
    /// has. To differentiate otherwise, see [`GenerativeFunction::unzip`].
    #[track_caller]
    fn choice_grad(
        &self,
        trace: &Trace<Self::Args, Self::Value>,
        selection: &Selection,
    ) -> ChoiceMap {
        let choices = trace.choices();
        let chosen = choices.filter(selection);
        let rest = ChoiceMap::from(choices.record().only(|a| !selection.contains(a)));
        let args = &trace.args;
        let location = here();
        let score = |chosen: ChoiceMap| {
            let run = || {
                let source = Source::assess(chosen.union(&rest).into(), None);
                self.trace(source, args.clone()).0.score().clone()
            };
            with_location(location, run)
        };
        grad(score)(chosen)
    }

    /// The score and the value as plain functions of choices and arguments, with some choices
    /// fixed. They can be differentiated, mapped and compiled, of any order and to any depth. The
    /// key is for randomness that is no choice ([`Choices::key`]); with such the score is an
    /// estimate, and its gradient is not one of the gradient.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let model = generative(|t: &mut Choices| {
    ///     let x = t.sample("x", Normal::new(0.0, 1.0));
    ///     t.sample("y", Normal::new(x, 1.0))
    /// });
    /// let (score, _) = model.unzip(Key::new(0), &ChoiceMap::new([("y", 1.0)]));
    /// let slope = grad(|choices: ChoiceMap| score((choices, ())))(ChoiceMap::new([("x", 0.2)]));
    /// assert!((slope["x"].item::<f32>()? - 0.6).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[track_caller]
    #[allow(clippy::type_complexity)] // closures have no names
    fn unzip<'a>(
        &'a self,
        key: Key,
        fixed: &ChoiceMap,
    ) -> (
        impl Fn((ChoiceMap, Self::Args)) -> Array + use<'a, Self>,
        impl Fn((ChoiceMap, Self::Args)) -> Self::Value + use<'a, Self>,
    ) {
        let fixed = fixed.clone();
        let location = here();
        let run = move |(choices, args): (ChoiceMap, Self::Args)| {
            let given = fixed.union(&choices).into();
            let run = || self.trace(Source::assess(given, Some(key.reuse())), args);
            with_location(location, run)
        };
        let run = Rc::new(run);
        let other = run.clone();
        (move |x| run(x).0.score().clone(), move |x| other(x).1)
    }

    /// `n` independent runs with the same arguments. Choices and values have an axis of `n` in
    /// front.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let draws = Normal::new(0.0, 1.0).repeat(100);
    /// let model = generative(move |t: &mut Choices| t.call("x", draws.clone(), ()));
    /// let trace = model.simulate(Key::new(0), ());
    /// assert_eq!(trace.choices()["x"].shape(), [100]);
    /// ```
    fn repeat(self, n: usize) -> Repeat<Self> {
        Repeat::new(self, n)
    }

    /// Independent runs over axes of the arguments: one axis for all, or a tree of axes with
    /// `None` for what is the same in all runs, as in [`vmap_axes`](crate::vmap_axes). Choices and
    /// values have the axis in front.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let line = generative(|t: &mut Choices, x: Array, slope: Array| {
    ///     t.sample("y", Normal::new(x * slope, 1.0))
    /// });
    /// let lines = line.mapped((0, None));
    /// let trace = lines.simulate(Key::new(0), (linspace(0.0, 1.0, 5), 2.0));
    /// assert_eq!(trace.choices()["y"].shape(), [5]);
    /// ```
    fn mapped(self, in_axes: impl Into<BatchAxes>) -> Mapped<Self> {
        Mapped::new(self, in_axes.into())
    }

    /// Runs one after another over the leading axis of `xs`, as [`scan`](crate::scan) does: the
    /// function takes `(carry, x)` and gives `(carry, y)`, the scan takes `(carry, xs)` and gives
    /// `(carry, ys)`. Choices have the axis of the steps in front.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let step = generative(|t: &mut Choices, z: Array, dt: Array| {
    ///     let z = t.sample("z", Normal::new(z, dt.sqrt()));
    ///     let y = t.sample("y", Normal::new(&z, 0.1));
    ///     (z, y)
    /// });
    /// let walk = step.scan();
    /// let trace = walk.simulate(Key::new(0), (0.0, full([20], 0.5)));
    /// let (last, ys) = trace.value();
    /// assert_eq!(trace.choices()["z"].at(-1).item::<f32>()?, last.item::<f32>()?);
    /// assert_eq!(ys.shape(), [20]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    fn scan(self) -> Scan<Self> {
        Scan { function: self }
    }

    /// `n` runs, each on what the one before gave; the value is that of all of them, with an axis
    /// of `n` in front.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let step = generative(|t: &mut Choices, z: Array| t.sample("z", Normal::new(z * 0.9, 1.0)));
    /// let trace = step.unfold(50).simulate(Key::new(0), 0.0);
    /// assert_eq!(trace.value().shape(), [50]);
    /// ```
    fn unfold(self, n: usize) -> Unfold<Self> {
        Unfold { function: self, n }
    }

    /// This function where a `bool` is true, else another one: the first argument is the `bool`,
    /// the second one what both take. For the choices see [`Alternatives::switch`].
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let near = generative(|t: &mut Choices| t.sample("y", Normal::new(0.0, 0.1)));
    /// let far = generative(|t: &mut Choices| t.sample("y", Normal::new(0.0, 10.0)));
    /// let (score, _) = near.or_else(far).assess(&ChoiceMap::new([("y", 0.0)]), (true, ()));
    /// assert!((score.item::<f32>()? - 1.3836466).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    fn or_else<H>(self, other: H) -> OrElse<Self, H>
    where
        H: GenerativeFunction<Args = Self::Args, Value = Self::Value>,
    {
        OrElse { yes: self, no: other }
    }

    /// This function where a `bool`, the first argument, is true; else nothing, whose choices and
    /// values are zeros that count nothing.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let seen = generative(|t: &mut Choices, x: Array| t.sample("y", Normal::new(x, 1.0)));
    /// let rows = seen.masked().mapped((0, 0));
    /// let mask = array([true, false]);
    /// let y = ChoiceMap::new([("y", array([0.0, 100.0]))]);
    /// let (score, _) = rows.assess(&y, (mask, zeros([2])));
    /// assert!((score.item::<f32>()? + 0.9189385).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    fn masked(self) -> Masked<Self> {
        Masked { function: self }
    }

    /// This function on what `before` makes of other arguments.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let point = generative(|t: &mut Choices, x: Array| t.sample("x", Normal::new(x, 1.0)));
    /// let sum = point.contramap(|(a, b): (Array, Array)| a + b);
    /// let (score, _) = sum.assess(&ChoiceMap::new([("x", 3.0)]), (1.0, 2.0));
    /// assert!((score.item::<f32>()? + 0.9189385).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    fn contramap<B: Tree + Clone, F: Fn(B) -> Self::Args>(
        self,
        before: F,
    ) -> Contramapped<Self, F, B> {
        Contramapped::new(self, before)
    }

    /// The function with learnable parameters: its last argument, which is kept beside it. It takes
    /// the other arguments.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let params = Record::new([("x_mu", 0.0), ("a", 0.3), ("b", 0.4)]);
    /// let mut model = generative(|t: &mut Choices, p: Record| {
    ///     let x = t.sample("x", Normal::new(&p["x_mu"], 1.0));
    ///     t.sample("y", Normal::new(&p["a"] * x + &p["b"], 1.0))
    /// })
    /// .train(params.clone());
    /// let trace = model.simulate(Key::new(314159), ());
    /// let score = model.score_params(&trace, &params);
    /// assert_eq!(score.item::<f32>()?, trace.score().item::<f32>()?);
    /// model.update_params(model.param_grad(&trace).map(|g| g * 0.01));
    /// assert!(model.score_params(&trace, model.params()).item::<f32>()? > score.item::<f32>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    fn train<P: Tree + Clone>(self, params: P) -> Trained<Self, P>
    where
        Self::Args: TakesLast<P>,
    {
        Trained::new(self, params)
    }

    /// The function with the selected choices summed out: each must be discrete, with finitely many
    /// values that are known. All combinations are tried, at most 65,536; of a chain, `marginal`
    /// right behind [`scan`](GenerativeFunction::scan) or [`unfold`](GenerativeFunction::unfold)
    /// sums step by step. The other choices have one density together: they are given, drawn and
    /// selected together or not at all. The value is the map of them.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let model = generative(|t: &mut Choices| {
    ///     let coin = t.sample("coin", Bernoulli::new(0.25));
    ///     t.sample("y", Normal::new(coin.cast(DType::F32) * 4.0, 1.0))
    /// });
    /// let y = ChoiceMap::new([("y", 4.0)]);
    /// let (score, _) = model.marginal(&addresses(["coin"])).assess(&y, ());
    /// let want = (0.25 + 0.75 * (-8.0f32).exp()).ln() - 0.9189385;
    /// assert!((score.item::<f32>()? - want).abs() < 1e-5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    fn marginal(self, summed: &Selection) -> Marginal<Self> {
        Marginal::new(self, summed.clone())
    }
}

/// The score of a run, and its value; invalid where the run had a mistake.
fn scored<R: Tree>(record: Subtrace, value: R) -> (Array, R) {
    let score = record.score().clone();
    match score.error().cloned() {
        None => (score, value),
        Some(error) => (score, value.map(|a| Array::invalid(error.clone(), a.location()))),
    }
}
