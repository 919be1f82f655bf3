//! Chains of finitely many states summed out by the forward algorithm: the work grows with the
//! number of steps, where trying all paths would grow with the number of paths.
//!
//! The forward algorithm: L. R. Rabiner, "A tutorial on hidden Markov models and selected
//! applications in speech recognition", Proceedings of the IEEE 77 (1989), in logarithms.

use super::GenerativeFunction;
use super::census::Found;
use super::choice_map::ChoiceMap;
use super::marginal::{found, without};
use super::selection::Selection;
use super::source::Source;
use super::steps::{Scan, Unfold};
use super::subtrace::{Subtrace, record_of};
use crate::record::Record;
use probpipe_trace::{
    Array, Error, ErrorKind, Loc, Result, Tree, arange, array, here, scan, trace_with,
    with_location, zeros,
};
use probpipe_transforms::vmap;

/// See [`Scan::marginal`] and [`Unfold::marginal`].
#[derive(Clone, Debug)]
pub struct Chain<G> {
    chain: G,
    summed: Selection,
}

impl<G> Scan<G> {
    /// The chain with its states summed out by the forward algorithm. The one selected choice of a
    /// step, which has finitely many values, must be the carry that the step gives on. The value is
    /// the map of the other choices.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::Categorical;
    /// let moves = array([[0.9, 0.1], [0.2, 0.8]]);
    /// let step = generative(move |t: &mut Choices, z: Array, scale: Array| {
    ///     let z = t.sample("z", Categorical::new(moves.take(z, 0)));
    ///     let y = t.sample("y", Normal::new(z.cast(DType::F32), scale));
    ///     (z, y)
    /// });
    /// let chain = step.scan().marginal(&addresses(["z"]));
    /// let seen = ChoiceMap::new([("y", array([0.1, 0.9, 1.2, 0.3]))]);
    /// let (score, _) = chain.assess(&seen, (0, full([4], 0.5)));
    /// assert_eq!(score.rank(), 0);
    /// ```
    pub fn marginal(self, summed: &Selection) -> Chain<Scan<G>> {
        Chain { chain: self, summed: summed.clone() }
    }
}

impl<G> Unfold<G> {
    /// The chain with its states summed out by the forward algorithm. The one selected choice of a
    /// step, which has finitely many values, must be what the step gives. The value is the map of
    /// the other choices.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::Categorical;
    /// let step = generative(|t: &mut Choices, z: Array| {
    ///     let stay = array([[0.9, 0.1], [0.1, 0.9]]).take(z, 0);
    ///     let z = t.sample("z", Categorical::new(stay));
    ///     t.sample("y", Normal::new(z.cast(DType::F32), 0.5));
    ///     z
    /// });
    /// let chain = step.unfold(100).marginal(&addresses(["z"]));
    /// let seen = ChoiceMap::new([("y", zeros([100]))]);
    /// let (score, _) = jit(|seen: ChoiceMap| chain.assess(&seen, 0))(seen);
    /// assert!(score.item::<f32>()? < 0.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    pub fn marginal(self, summed: &Selection) -> Chain<Unfold<G>> {
        Chain { chain: self, summed: summed.clone() }
    }
}

impl<X, Y, G> GenerativeFunction for Chain<Scan<G>>
where
    X: Tree + Clone,
    Y: Tree + Clone,
    G: GenerativeFunction<Args = (Array, X), Value = (Array, Y)>,
{
    type Args = (Array, X);
    type Value = ChoiceMap;

    #[track_caller]
    fn trace(&self, source: Source, (start, xs): (Array, X)) -> (Subtrace, ChoiceMap) {
        let location = here();
        let n = xs.leaves().first().and_then(|x| x.ty().ok()?.shape.first().copied());
        let step = |source: Source, state: Array, x: X| {
            let run = || self.chain.function.trace(source, (state, x));
            let (record, (state, _)) = with_location(location, run);
            (record, state)
        };
        let first = xs.clone().map(|x| x.at(0));
        let density = |source: &Source, choices: &Record| {
            let kind = Kind { summed: &self.summed, n: n.unwrap_or(0), location };
            let count = |source: &Source, choices: &Record| {
                let args = (start.clone(), first.clone());
                found(&self.chain.function, source, choices, &args, &self.summed, location)
            };
            kind.forward(source, choices, &start, &xs, &first, &step, &count)
        };
        let draw = |source: Source| {
            with_location(location, || self.chain.trace(source, (start.clone(), xs.clone())).0)
        };
        without(source, &self.summed, location, &draw, &density)
    }

    fn settled(&self) -> bool {
        self.chain.settled()
    }
}

impl<G: GenerativeFunction<Args = Array, Value = Array>> GenerativeFunction for Chain<Unfold<G>> {
    type Args = Array;
    type Value = ChoiceMap;

    #[track_caller]
    fn trace(&self, source: Source, start: Array) -> (Subtrace, ChoiceMap) {
        let location = here();
        let step = |source: Source, state: Array, _: Array| {
            with_location(location, || self.chain.function.trace(source, state))
        };
        let density = |source: &Source, choices: &Record| {
            let kind = Kind { summed: &self.summed, n: self.chain.n, location };
            let count = |source: &Source, choices: &Record| {
                found(&self.chain.function, source, choices, &start, &self.summed, location)
            };
            let steps = arange(self.chain.n);
            kind.forward(source, choices, &start, &steps, &array(0), &step, &count)
        };
        let draw =
            |source: Source| with_location(location, || self.chain.trace(source, start.clone()).0);
        without(source, &self.summed, location, &draw, &density)
    }

    fn settled(&self) -> bool {
        self.chain.settled()
    }
}

/// A step: from the state before, and what of the scan is its own.
type Step<'a, X> = &'a dyn Fn(Source, Array, X) -> (Subtrace, Array);

struct Kind<'a> {
    summed: &'a Selection,
    n: usize,
    location: Loc,
}

impl Kind<'_> {
    /// The log-density of `choices`, the states summed out.
    #[allow(clippy::too_many_arguments)] // a chain is made of that much
    fn forward<X: Tree + Clone>(
        &self,
        source: &Source,
        choices: &Record,
        start: &Array,
        xs: &X,
        first: &X,
        step: Step<'_, X>,
        count: &dyn Fn(&Source, &Record) -> Result<Vec<Found>>,
    ) -> Result<Array> {
        let n = self.n;
        for (path, array) in choices.arrays() {
            let ty = array.ty()?;
            if ty.shape.first() != Some(&n) {
                let message = format!("`{path}` is chosen {n} times, but was given as {ty}");
                return Err(Error::new(ErrorKind::Shape, message)
                    .at(array.location())
                    .note("it is chosen", Some(self.location))
                    .help(format!("give an array with an axis of {n} in front")));
            }
        }
        let one: Record = choices.clone().map(|array| array.at(0));
        let found = count(source, &one)?;
        let [state] = &found[..] else {
            return Err(self.fault(format!("{} choices of a step are summed out", found.len())));
        };
        self.check(source, &one, start, first, state, step)?;
        let k = state.count.unwrap_or(1);
        let values = (arange(k) + state.low as i32).cast(state.dtype);
        let score = |before: Array, after: Array, x: X, choices: Record| {
            let all = choices.with(&state.address, after);
            step(source.assessing(all), before, x).0.score().clone()
        };
        // All states before the first step are the start, of equal shares that add up to one.
        let starts = start.cast(state.dtype).broadcast_to([k]);
        let shares = zeros([k]) - (k as f64).ln();
        let typed = score(start.cast(state.dtype), values.at(0), first.clone(), one);
        let shares = shares.in_dtype(typed.ty()?.dtype);
        let ((_, shares), ()) =
            scan((starts, shares), (choices.clone(), xs.clone()), |state, step| {
                let ((before, shares), (choices, x)) = (state, step);
                let row = |before: Array| {
                    vmap(|after: Array| score(before.clone(), after, x.clone(), choices.clone()))(
                        values.clone(),
                    )
                };
                let table = vmap(row)(before);
                let next = (shares.expand_dims(1) + table).logsumexp_axes([0]);
                ((values.clone(), next), ())
            });
        shares.logsumexp().checked()
    }

    /// That the step hands the state on as it is.
    fn check<X: Tree + Clone>(
        &self,
        source: &Source,
        choices: &Record,
        start: &Array,
        first: &X,
        state: &Found,
        step: Step<'_, X>,
    ) -> Result<()> {
        if !state.shape.is_empty() {
            return Err(self.fault(format!("`{}` is not one number", state.address)));
        }
        let (traced, kept) = trace_with(self.location, &[start.ty()?], |inputs| {
            let (record, next) = step(
                source.counting(choices.clone(), Default::default()),
                inputs[0].clone(),
                first.clone(),
            );
            let drawn = record_of(record.choices());
            let kept = drawn.get(&state.address).is_some_and(|z| z.is_same(&next));
            (vec![record.score().clone()], kept)
        });
        traced?;
        match kept {
            true => Ok(()),
            false => Err(self.fault(format!("the step does not give `{}` on", state.address))),
        }
    }

    fn fault(&self, message: String) -> Error {
        with_location(self.location, || {
            Error::new(ErrorKind::Value, message)
                .at(self.summed.location().unwrap_or(self.location))
                .note("the chain is summed", Some(self.location))
                .help("the state is one choice of each step, and what the step gives on")
        })
    }
}
