//! Draws of families on integers and on given numbers.

use crate::golden::floats;
use crate::{N, cells_follow, moments};
use probpipe::distributions::*;
use probpipe::prelude::*;

/// That draws of a distribution on integers have its probabilities.
#[track_caller]
fn counts<D>(what: &'static str, d: D) -> &'static str
where
    D: LogProb<Value = Array> + Sample,
{
    let draws = jit(|key: Key| d.sample(key, [N]))(Key::new(20_262));
    let drawn: Vec<i64> = floats(&draws).into_iter().map(|x| x as i64).collect();
    let (first, last) = (*drawn.iter().min().unwrap(), (*drawn.iter().max().unwrap()).min(400));
    let cells: Vec<f64> = (first..=last).map(|k| k as f64).collect();
    let probs = floats(&d.prob(&Array::from_slice(&cells, [cells.len()])));
    let mut observed = vec![0u64; cells.len() + 1];
    for k in &drawn {
        observed[((k - first) as usize).min(cells.len())] += 1;
    }
    let mut expected: Vec<f64> = probs.iter().map(|p| p * N as f64).collect();
    expected.push((N as f64 - expected.iter().sum::<f64>()).max(0.0));
    cells_follow(what, observed, expected);
    what
}

/// With the mean and the variance.
#[track_caller]
fn counts_and_moments<D>(what: &'static str, d: D) -> &'static str
where
    D: LogProb<Value = Array> + Sample + Moments,
{
    let draws = jit(|key: Key| d.sample(key, [N]))(Key::new(20_263));
    moments(what, &floats(&draws), [d.mean(), d.variance()].map(|m| floats(&m)[0]));
    counts(what, d)
}

macro_rules! counted {
    ($($check:ident $family:ident::new($($p:expr),*);)+) => {
        pub const COUNTED: &[&str] = &[$(stringify!($family)),+];

        #[test]
        fn counts_follow_their_distribution() {
            $($check(stringify!($family), $family::new($($p),*));)+
        }
    };
}

counted! {
    counts_and_moments Bernoulli::new(0.3);
    counts_and_moments BernoulliLogits::new(-0.7);
    counts_and_moments BetaBinomial::new(2.0, 3.0, 10);
    counts_and_moments BetaNegativeBinomial::new(2.0, 12.0, 4.0);
    counts_and_moments Binomial::new(40, 0.3);
    counts_and_moments BinomialLogits::new(25, 0.3);
    counts Categorical::new([0.2, 0.3, 0.5]);
    counts CategoricalLogits::new([0.2, 0.3, 0.5]);
    counts_and_moments DiscreteUniform::new(-3, 4);
    counts_and_moments FiniteDiscrete::new([1.0, 4.0, 6.0], [0.25, 0.5, 0.25]);
    counts_and_moments GammaPoisson::new(3.0, 0.5);
    counts_and_moments Geometric::new(0.3);
    counts_and_moments GeometricLogits::new(0.3);
    counts_and_moments NegativeBinomial::new(3.0, 0.4);
    counts_and_moments NegativeBinomial2::new(5.0, 2.0);
    counts_and_moments NegativeBinomialLogits::new(2.0, -0.4);
    counts OrderedLogistic::new(0.3, [-1.0, 0.0, 1.5]);
    counts_and_moments Poisson::new(37.5);
    counts_and_moments PoissonLog::new(1.2);
    counts_and_moments ProbitBernoulli::new(0.4);
    counts_and_moments Skellam::new(3.0, 2.0);
    counts StoppingRatioLogistic::new([-0.5, 0.5, 0.2], 0.3);
    counts Zipf::new(3.5);
}
