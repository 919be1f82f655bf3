//! What is known after observations, in two parts: a prior, which draws come from, and the density
//! of what was observed. Algorithms that go from the one to the other need them apart; those that
//! look at the posterior alone take its [`Target`].

use super::target::Target;
use crate::distributions::{LogProb, Sample};
use crate::generative::{
    ChoiceMap, GenerativeFunction, addresses, prior_and_likelihood, real_choices,
};
use crate::record::ravel;
use probpipe_trace::{
    Array, Error, ErrorKind, IntoTree, Key, Result, Shape, here, select, with_location,
    without_location,
};
use std::fmt;
use std::rc::Rc;

/// A prior of real vectors and the likelihood of what was observed, whose product is a density that
/// inference works on.
///
/// ```
/// use probpipe::inference::Posterior;
/// use probpipe::{Gamma, prelude::*};
/// let model = generative(|t: &mut Choices| {
///     let scale = t.sample("scale", Gamma::new(2.0, 1.0));
///     t.call("y", Normal::new(0.0, scale).repeat(3), ())
/// });
/// let observed = ChoiceMap::new([("y", array([0.3, 0.1, 0.6]))]);
/// let posterior = Posterior::of(model, (), &observed)?;
/// let z = array([0.4]);
/// let (prior, likelihood) = posterior.parts(&z);
/// let both = posterior.target().log_density(&z);
/// assert!((prior + likelihood - both).abs().item::<f32>()? < 1e-5);
/// assert_eq!(posterior.draw(Key::new(0)).shape(), [1]);
/// # Ok::<(), probpipe::Error>(())
/// ```
pub struct Posterior<T> {
    target: Target<T>,
    draw: Rc<dyn Fn(Key) -> Array>,
    parts: Rc<Parts>,
}

/// The logarithms of prior and likelihood of a vector.
type Parts = dyn Fn(&Array) -> (Array, Array);

impl<T> Clone for Posterior<T> {
    fn clone(&self) -> Posterior<T> {
        let Posterior { target, draw, parts } = self;
        Posterior { target: target.clone(), draw: draw.clone(), parts: parts.clone() }
    }
}

impl<T> fmt::Debug for Posterior<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Posterior").field("target", &self.target).finish_non_exhaustive()
    }
}

impl<T> Posterior<T> {
    /// The density of the posterior, up to the evidence, and the way to values.
    pub fn target(&self) -> &Target<T> {
        &self.target
    }

    /// How many real numbers there are.
    pub fn size(&self) -> usize {
        self.target.size()
    }

    /// A vector `[n]` from the prior.
    #[track_caller]
    pub fn draw(&self, key: Key) -> Array {
        with_location(here(), || (self.draw)(key))
    }

    /// The logarithms of the prior and of the likelihood at a vector `[n]`, scalars: of one run.
    #[track_caller]
    pub fn parts(&self, z: &Array) -> (Array, Array) {
        with_location(here(), || (self.parts)(z))
    }

    /// The logarithm of the density that leads from the prior, at 0, to the posterior, at 1: the
    /// prior times the likelihood to a power.
    #[track_caller]
    pub fn tempered(&self, z: &Array, power: &Array) -> Array {
        let (prior, likelihood) = self.parts(z);
        prior + raised(&likelihood, power)
    }
}

/// The logarithm of a likelihood to a power. To the power 0 that is 1, also of none.
pub(super) fn raised(log_likelihood: &Array, power: &Array) -> Array {
    let counts = power.ne(0.0);
    select(&counts, select(&counts, log_likelihood, 0.0) * power, 0.0)
}

impl Posterior<Array> {
    /// Of a distribution of vectors and the logarithm of the likelihood of a vector. Independent
    /// numbers are a batch.
    ///
    /// ```
    /// use probpipe::inference::Posterior;
    /// use probpipe::prelude::*;
    /// let prior = Normal::new(zeros([2]), 3.0);
    /// let posterior = Posterior::new(prior, |z| Normal::new(z.sum(), 1.0).log_prob(&array(2.0)))?;
    /// assert_eq!(posterior.size(), 2);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ///
    /// # Errors
    /// A prior that is invalid, or whose draws are no vectors of floats; a likelihood that is no
    /// scalar.
    #[track_caller]
    pub fn new<D>(
        prior: D,
        log_likelihood: impl Fn(Array) -> Array + 'static,
    ) -> Result<Posterior<Array>>
    where
        D: Sample<Value = Array> + LogProb + 'static,
    {
        let prior = Rc::new(prior);
        let draws = prior.clone();
        let draw = move |key: Key| draws.sample_shape(key, Shape::new());
        let log_likelihood = Rc::new(log_likelihood);
        let (again, law) = (log_likelihood.clone(), prior.clone());
        let density = move |z: Array| law.log_prob(&z).sum() + again(z);
        let start = draw(Key::new(0)).checked()?;
        if start.rank() != 1 {
            let message = format!("the draws of a prior are vectors, not {}", start.ty()?);
            return Err(Error::new(ErrorKind::Shape, message)
                .at(here())
                .help("give a distribution of vectors, or a batch of independent numbers"));
        }
        let first = without_location(|| log_likelihood(start.clone()));
        if first.ty()?.rank() != 0 {
            let message = format!("a log-likelihood is one number, not {}", first.ty()?);
            return Err(Error::new(ErrorKind::Shape, message)
                .at(here())
                .help("sum over the observations: `.sum()`"));
        }
        let target = Target::new(density, start)?;
        let parts = move |z: &Array| {
            (prior.log_prob(z).sum(), without_location(|| log_likelihood(z.clone())))
        };
        Ok(Posterior { target, draw: Rc::new(draw), parts: Rc::new(parts) })
    }
}

impl Posterior<ChoiceMap> {
    /// Of a generative function of which some choices are observed: see [`Target::of`]. What is
    /// called the prior is the density of the choices that are not observed, each given the choices
    /// before it, observed ones among them; the likelihood is that of the observed ones. Draws are
    /// those of [`importance`](GenerativeFunction::importance).
    ///
    /// # Errors
    /// Those of [`Target::of`]; observed choices that have a density only together with others;
    /// flat distributions, which have no draws.
    #[track_caller]
    pub fn of<G>(
        model: G,
        args: impl IntoTree<G::Args>,
        observed: &ChoiceMap,
    ) -> Result<Posterior<ChoiceMap>>
    where
        G: GenerativeFunction + Clone + 'static,
        G::Args: IntoTree<G::Args> + 'static,
    {
        let args = args.into_tree();
        let target = with_location(here(), || Target::of(model.clone(), args.clone(), observed))?;
        let latent = !addresses(observed.addresses());
        let first = observed.union(&target.constrain(target.start())?);
        let (_, unravel) =
            ravel(&with_location(here(), || real_choices(&model, &args, &first, &latent))?)?;
        let location = here();
        let shared = Rc::new((model, args, observed.clone(), latent));
        let parts = {
            let shared = shared.clone();
            move |z: &Array| {
                let (model, args, observed, latent) = &*shared;
                match unravel.tree(z) {
                    Ok(numbers) => prior_and_likelihood(model, args, &numbers, observed, latent),
                    Err(error) => {
                        let bad = Array::invalid(error, location);
                        (bad.clone(), bad)
                    }
                }
            }
        };
        let (prior, likelihood) = with_location(location, || parts(target.start()));
        prior.checked().and(likelihood.checked())?;
        let draw = move |key: Key| {
            let (model, args, observed, latent) = &*shared;
            let all = model.importance(key, observed, args.clone()).0.choices();
            let numbers = real_choices(model, args, &all, latent);
            let vector = numbers.and_then(|numbers| Ok(ravel(&numbers)?.0));
            vector.unwrap_or_else(|error| Array::invalid(error, location))
        };
        with_location(location, || draw(Key::new(0))).checked()?;
        Ok(Posterior { target, draw: Rc::new(draw), parts: Rc::new(parts) })
    }
}
