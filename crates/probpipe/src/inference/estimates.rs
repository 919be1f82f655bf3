//! Estimates of expectations whose derivatives are estimates too, also where draws are discrete:
//! the strategies of ADEV (A. Lew, M. Huot, S. Staton, V. Mansinghka, 2023), each written as a
//! function whose value is the estimate and whose derivative is that of the expectation.

use crate::distributions::{Bernoulli, Distribution, LogProb, Sample};
use probpipe_trace::{Array, Error, ErrorKind, Key, Loc, Shape, Tree, here, with_location};

/// Most values of enumerated draws together.
const MOST: usize = 1 << 12;

/// The handle through which a function under [`expectation`] draws. A method for each way to
/// differentiate: choose the one of least variance that holds.
#[derive(Debug)]
pub struct Draws {
    key: Key,
    index: u32,
    /// The values of the enumerated draws of this run, by the order in which they come.
    enumerated: Vec<usize>,
    /// How many values each of those that this run came by has.
    counts: Vec<usize>,
    /// The probability of the enumerated values.
    weight: Option<Array>,
    /// The log-density of draws whose score counts.
    score: Option<Array>,
    /// What is taken from the value before it multiplies the score.
    baseline: Option<Array>,
    /// A measure-valued draw that is given another value than the one drawn, and that value.
    forced: Option<(usize, bool)>,
    /// The probabilities of measure-valued draws so far.
    flips: Vec<Array>,
    error: Option<Array>,
}

impl Draws {
    fn new(key: Key, enumerated: Vec<usize>, forced: Option<(usize, bool)>) -> Draws {
        Draws {
            key,
            index: 0,
            enumerated,
            counts: Vec::new(),
            weight: None,
            score: None,
            baseline: None,
            forced,
            flips: Vec::new(),
            error: None,
        }
    }

    /// A key for randomness that does not depend on what is differentiated.
    #[track_caller]
    pub fn key(&mut self) -> Key {
        self.index += 1;
        self.key.reuse().fold_in(self.index)
    }

    /// A draw that is a differentiable function of the parameters: derivatives go through it.
    #[track_caller]
    pub fn reparameterised<D: Sample<Value = Array>>(&mut self, d: D) -> Array {
        let key = self.key();
        d.sample_shape(key, Shape::new())
    }

    /// A draw of any distribution whose derivative is the value times that of its log-density
    /// (REINFORCE; R. Williams, 1992). Its variance is large; a baseline takes some of it.
    #[track_caller]
    pub fn reinforce<D>(&mut self, d: D) -> Array
    where
        D: Sample<Value = Array> + LogProb,
    {
        let key = self.key();
        let x = d.sample_shape(key, Shape::new()).stop_gradient();
        let density = d.log_prob(&x).sum();
        self.score = Some(added(self.score.take(), density));
        x
    }

    /// As [`Draws::reinforce`], where `baseline` is near the value to be expected and does not
    /// depend on this draw.
    #[track_caller]
    pub fn reinforce_with<D>(&mut self, d: D, baseline: impl Into<Array>) -> Array
    where
        D: Sample<Value = Array> + LogProb,
    {
        let baseline = baseline.into().stop_gradient();
        self.baseline = Some(added(self.baseline.take(), baseline));
        self.reinforce(d)
    }

    /// All values of a distribution that has finitely many, each with its probability: no variance,
    /// at the cost of a run for each combination of values.
    #[track_caller]
    pub fn enumerated<D>(&mut self, d: D) -> Array
    where
        D: Sample<Value = Array>,
    {
        let listed = d.enumerate().filter(|_| d.batch_shape().is_empty());
        let Some((points, probs)) = listed else {
            let message = "only the values of one draw that has finitely many can be enumerated";
            let error = Error::new(ErrorKind::Value, message)
                .help("use `reinforce`, or enumerate the draws of a batch one by one");
            return self.fault(error);
        };
        let n = probs.shape().first().copied().unwrap_or(0);
        let at = self.enumerated.get(self.counts.len()).copied().unwrap_or(0) as isize;
        self.counts.push(n);
        let probability = probs.at(at);
        self.weight = Some(match self.weight.take() {
            Some(weight) => weight * probability,
            None => probability,
        });
        points.at(at)
    }

    /// A flip whose derivative is the difference of the values with and without it (measure-valued;
    /// G. Pflug, 1990): two more runs, and less variance than by the score. It has derivatives of
    /// first order only: those of the difference are not taken.
    #[track_caller]
    pub fn measure_valued(&mut self, flip: Bernoulli) -> Array {
        if !flip.batch_shape().is_empty() {
            let error = Error::new(ErrorKind::Shape, "a measure-valued flip is one flip")
                .help("flip one by one");
            return self.fault(error);
        }
        let key = self.key();
        let drawn = flip.sample_shape(key, Shape::new());
        let number = self.flips.len();
        self.flips.push(flip.probs().clone());
        match self.forced {
            Some((at, value)) if at == number => Array::from(value as i32).cast(drawn.dtype()),
            _ => drawn,
        }
    }

    #[track_caller]
    fn fault(&mut self, error: Error) -> Array {
        let bad = Array::invalid(error.at(here()), here());
        self.error = Some(bad.clone());
        bad
    }
}

/// An unbiased estimate of the mean of what `f` gives, a number, over what it draws through its
/// handle; and of the derivative of that mean, if that is what is asked: `grad`, `vmap` and `jit`
/// go around it as around any function. Derivatives of higher order are unbiased too, but where
/// draws are measure-valued.
///
/// ```
/// use probpipe::inference::{Draws, expectation};
/// use probpipe::prelude::*;
/// // A game with a stake: p won with 3, lost with 1 less a part of the stake.
/// let game = expectation(|t: &mut Draws, p: Array| {
///     let won = t.enumerated(Bernoulli::new(&p)).cast(DType::F32);
///     let noise = t.reparameterised(Normal::new(0.0, 1.0));
///     won * 4.0 - 1.0 - p.square() + noise
/// });
/// let slope = jit(grad(|p: Array| game(Key::new(0), p)))(array(0.3));
/// assert!((slope.item::<f32>()? - 3.4).abs() < 1e-5);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
pub fn expectation<P: Tree + Clone>(
    f: impl Fn(&mut Draws, P) -> Array,
) -> impl Fn(Key, P) -> Array {
    let location = here();
    move |key: Key, parameters: P| {
        let run = |draws: &mut Draws| f(draws, parameters.clone());
        with_location(location, || estimate(key, &run, location))
    }
}

fn added(sum: Option<Array>, part: Array) -> Array {
    match sum {
        Some(sum) => sum + part,
        None => part,
    }
}

type Run<'a> = &'a dyn Fn(&mut Draws) -> Array;

fn estimate(key: Key, run: Run<'_>, location: Loc) -> Array {
    let mut sum: Option<Array> = None;
    let mut next = Some(Vec::new());
    let mut runs = 0;
    while let Some(values) = next.take() {
        runs += 1;
        if runs > MOST {
            let message = format!("more than {MOST} combinations of values are enumerated");
            let error = Error::new(ErrorKind::Value, message)
                .help("enumerate fewer draws, and use `reinforce` for the others");
            return Array::invalid(error, location);
        }
        let mut draws = Draws::new(key.reuse(), values.clone(), None);
        let value = run(&mut draws);
        if let Some(error) = draws.error {
            return error;
        }
        let part = surrogate(&key, run, &draws, value, &values);
        sum = Some(added(sum, part));
        next = following(values, &draws.counts);
    }
    sum.unwrap_or_else(|| Array::from(0.0))
}

/// The next combination of values: the last draw that has another one takes it. What comes after
/// may be other draws then, so nothing is said of them.
fn following(values: Vec<usize>, counts: &[usize]) -> Option<Vec<usize>> {
    let at = |i: usize| values.get(i).copied().unwrap_or(0);
    let turn = (0..counts.len()).rev().find(|&i| at(i) + 1 < counts[i])?;
    Some((0..turn).map(at).chain([at(turn) + 1]).collect())
}

/// The part of one combination of enumerated values: its value is the probability of these times
/// that of the run, and its derivative that of the expectation. By the score it is
/// `(v - b) exp(s - stop(s)) + b` with the baseline `b` (DiCE; J. Foerster et al., 2018), and every
/// measure-valued flip adds `(p - stop(p)) (v with - v without)`.
fn surrogate(key: &Key, run: Run<'_>, draws: &Draws, value: Array, values: &[usize]) -> Array {
    let value = match &draws.score {
        None => value,
        Some(score) => {
            let one = (score - score.stop_gradient()).exp();
            match &draws.baseline {
                Some(baseline) => (value - baseline) * one + baseline,
                None => value * one,
            }
        }
    };
    // What is enumerated after a flip may have another probability with it.
    let weighted = |value: Array, weight: &Option<Array>| match weight {
        Some(weight) => weight * value,
        None => value,
    };
    let mut sum = weighted(value, &draws.weight);
    for (at, probability) in draws.flips.iter().enumerate() {
        let forced = |to: bool| {
            let mut again = Draws::new(key.reuse(), values.to_vec(), Some((at, to)));
            let value = run(&mut again);
            weighted(value, &again.weight)
        };
        let difference = (forced(true) - forced(false)).stop_gradient();
        sum += (probability - probability.stop_gradient()) * difference;
    }
    sum
}
