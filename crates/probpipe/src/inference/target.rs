//! What inference works on: a log-density over all real vectors, and the way between these and the
//! values that the user named.

use crate::bijectors::{Bijector, biject_to};
use crate::constraints::Constraint;
use crate::generative::{
    ChoiceMap, GenerativeFunction, addresses, any_choices, chosen, culprit, real_choices,
};
use crate::record::{Record, Unravel, ravel};
use probpipe_trace::{
    Array, Error, ErrorKind, IntoTree, Loc, Result, Shape, Tree, here, with_location,
    without_location, zeros_like,
};
use probpipe_transforms::{value_and_grad, vmap};
use std::fmt;
use std::rc::Rc;

/// A log-density over the real vectors of a length, up to a constant, and the way from these to
/// values of type `T`. Where values are constrained the density is that of the vector: the
/// logarithm of the volume that the way there makes is part of it.
///
/// ```
/// use probpipe::constraints::Constraint;
/// use probpipe::inference::Target;
/// use probpipe::prelude::*;
/// let data = array([1.2, 0.4, -0.3]);
/// let log_density = move |at: Record| {
///     let likelihood = Normal::new(&at["mean"], &at["scale"]).log_prob(&data).sum();
///     likelihood - at["scale"].log() - at["mean"].square() / 200.0
/// };
/// let start = Record::new([("mean", array(0.0)), ("scale", array(1.0))]);
/// let target = Target::within(log_density, start, [("scale", Constraint::Positive)])?;
/// assert_eq!(target.size(), 2);
/// let z = array([0.5, -1.0]);
/// assert!((target.constrain(&z)?["scale"].item::<f32>()? - (-1.0f32).exp()).abs() < 1e-6);
/// let slope = jit(grad(|z: Array| target.log_density(&z)))(z);
/// assert_eq!(slope.shape(), [2]);
/// # Ok::<(), probpipe::Error>(())
/// ```
pub struct Target<T> {
    start: Array,
    log_density: Rc<dyn Fn(&Array) -> Array>,
    constrain: Way<Array, T>,
    unconstrain: Way<T, Array>,
    explain: Option<Explain>,
}

/// What is to be said of a place where the density is not finite, with lines of the source.
type Explain = Rc<dyn Fn(&Array) -> Vec<(String, Option<Loc>)>>;

/// A way from one to the other that may be refused.
type Way<A, B> = Rc<dyn Fn(&A) -> Result<B>>;

impl<T> Clone for Target<T> {
    fn clone(&self) -> Target<T> {
        Target {
            start: self.start.clone(),
            log_density: self.log_density.clone(),
            constrain: self.constrain.clone(),
            unconstrain: self.unconstrain.clone(),
            explain: self.explain.clone(),
        }
    }
}

impl<T> fmt::Debug for Target<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("start", &self.start).finish_non_exhaustive()
    }
}

impl<T> Target<T> {
    /// Of parts that were made elsewhere: a start `[n]`, a log-density of vectors `[n]`, and the
    /// ways from vectors to values and back.
    pub fn of_parts(
        start: Array,
        log_density: impl Fn(&Array) -> Array + 'static,
        constrain: impl Fn(&Array) -> Result<T> + 'static,
        unconstrain: impl Fn(&T) -> Result<Array> + 'static,
    ) -> Target<T> {
        Target {
            start,
            log_density: Rc::new(log_density),
            constrain: Rc::new(constrain),
            unconstrain: Rc::new(unconstrain),
            explain: None,
        }
    }

    /// With a function that says of a vector where the density is not finite what the cause is:
    /// errors tell it. Targets of generative functions know by themselves.
    pub fn explained(mut self, explain: impl Fn(&Array) -> Option<String> + 'static) -> Target<T> {
        let explain = move |z: &Array| explain(z).map(|text| (text, None)).into_iter().collect();
        self.explain = Some(Rc::new(explain));
        self
    }

    /// Where searches begin, `[n]`.
    pub fn start(&self) -> &Array {
        &self.start
    }

    /// How many real numbers there are.
    pub fn size(&self) -> usize {
        self.start.size()
    }

    /// With another start.
    pub fn starting_at(mut self, start: impl Into<Array>) -> Target<T> {
        self.start = start.into();
        self
    }

    /// The log-density of a vector `[n]`, a scalar.
    #[track_caller]
    pub fn log_density(&self, z: &Array) -> Array {
        with_location(here(), || (self.log_density)(z))
    }

    /// The log-densities of vectors `[m, n]`, `[m]`.
    #[track_caller]
    pub fn log_densities(&self, z: &Array) -> Array {
        vmap(|z: Array| self.log_density(&z))(z.clone())
    }

    /// The values that a vector stands for.
    ///
    /// # Errors
    /// A vector of another length.
    #[track_caller]
    pub fn constrain(&self, z: &Array) -> Result<T> {
        with_location(here(), || (self.constrain)(z))
    }

    /// The vector that stands for values.
    ///
    /// # Errors
    /// Values of another structure or shape.
    #[track_caller]
    pub fn unconstrain(&self, values: &T) -> Result<Array> {
        with_location(here(), || (self.unconstrain)(values))
    }
}

impl<T: Tree + Clone> Target<T> {
    /// What is to be said of a vector where the density or its gradient is not finite.
    pub(crate) fn explain(&self, z: &Array) -> Vec<(String, Option<Loc>)> {
        let said = self.explain.as_ref().map_or_else(Vec::new, |explain| explain(z));
        if !said.is_empty() {
            return said;
        }
        let (density, slope) = value_and_grad(|z: Array| self.log_density(&z))(z.clone());
        if let Some(error) = density.error().or(slope.error()) {
            return vec![(error.message().to_string(), error.location())];
        }
        let Ok(values) = self.constrain(z) else { return Vec::new() };
        let paths = values.structure().paths();
        let listed: Vec<String> = paths
            .iter()
            .zip(values.leaves())
            .map(|(path, leaf)| format!("{} = {leaf}", named(path)))
            .collect();
        let listed = listed.join(", ");
        if !density.is_finite().all().item::<bool>().unwrap_or(true) {
            return vec![(format!("the log-density is {density} where {listed}"), None)];
        }
        let slopes = slope.is_finite().to_vec::<bool>().unwrap_or_default();
        let Some(i) = slopes.iter().position(|finite| !finite) else { return Vec::new() };
        // The value that moves with this entry of the vector.
        let mut step = vec![0.0; slopes.len()];
        step[i] = 1.0;
        let moved = z + Array::from(step).cast(z.dtype());
        let moved = self.constrain(&moved).map(|moved| moved.leaves()).unwrap_or_default();
        let same = |a: &Array, b: &Array| (a.eq(b)).all().item::<bool>().unwrap_or(true);
        let moves = values.leaves().iter().zip(&moved).position(|(a, b)| !same(a, b));
        let name = moves.map_or_else(|| format!("entry {i} of the vector"), |at| named(&paths[at]));
        let slope = slope.at(i as isize);
        vec![(
            format!(
                "the log-density is {density}, but its derivative in {name} is {slope} where {listed}"
            ),
            None,
        )]
    }

    /// The values that vectors `[m, n]` stand for, along a new first axis.
    ///
    /// # Errors
    /// Vectors of another length.
    #[track_caller]
    pub fn constrain_each(&self, z: &Array) -> Result<T> {
        let all = vmap(self.way()?)(z.clone());
        match all.leaves().iter().find_map(|leaf| leaf.error().cloned()) {
            Some(error) => Err(error),
            None => Ok(all),
        }
    }

    /// [`Target::constrain`] as a function that gives invalid values where that is an error.
    #[track_caller]
    pub(crate) fn way(&self) -> Result<impl Fn(Array) -> T> {
        // What any vector stands for has the structure of all.
        let (one, location) = (self.constrain(&self.start)?, here());
        Ok(move |z: Array| {
            let bad = |error: Error| one.clone().map(|_| Array::invalid(error.clone(), location));
            self.constrain(&z).unwrap_or_else(bad)
        })
    }
}

impl<T: Tree + Clone + 'static> Target<T> {
    /// Of a function of a tree of real numbers, all of which may have any value.
    ///
    /// # Errors
    /// A start that is no tree of floats of one type.
    #[track_caller]
    pub fn new(log_density: impl Fn(T) -> Array + 'static, start: T) -> Result<Target<T>> {
        let (z, unravel) = ravel(&start)?;
        let way = Rc::new(unravel);
        let location = here();
        let of_vector = {
            let way = way.clone();
            move |z: &Array| match way.tree(z) {
                Ok(values) => without_location(|| log_density(values)),
                Err(error) => Array::invalid(error, location),
            }
        };
        let back = move |values: &T| Ok(ravel(values)?.0);
        Ok(Target::of_parts(z, of_vector, move |z| way.tree(z), back))
    }
}

impl Target<ChoiceMap> {
    /// Of the choices of a generative function that are not observed, given those that are: each in
    /// the support of its distribution, as that is where the choice comes. The start is zeros,
    /// which every support has in its middle. Discrete choices must be observed, or summed out by
    /// [`marginal`](GenerativeFunction::marginal); an
    /// [`ImproperUniform`](crate::ImproperUniform) is a flat prior.
    ///
    /// ```
    /// use probpipe::inference::Target;
    /// use probpipe::{Gamma, prelude::*};
    /// let model = generative(|t: &mut Choices| {
    ///     let scale = t.sample("scale", Gamma::new(2.0, 1.0));
    ///     let low = t.sample("low", Normal::new(0.0, 1.0));
    ///     let level = t.sample("level", Uniform::new(&low, &low + 1.0));
    ///     t.call("y", Normal::new(level, scale).repeat(3), ())
    /// });
    /// let observed = ChoiceMap::new([("y", array([0.3, 0.1, 0.6]))]);
    /// let target = Target::of(model, (), &observed)?;
    /// assert_eq!(target.size(), 3);
    /// let slope = jit(grad(|z: Array| target.log_density(&z)))(array([0.0, 0.5, 1.0]));
    /// assert!(slope.is_finite().all().item::<bool>()?);
    /// assert_eq!(target.constrain(target.start())?.addresses(), ["scale", "low", "level"]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the model; observed addresses that it has not; choices that no bijector leads to;
    /// nothing left to infer.
    #[track_caller]
    pub fn of<G>(
        model: G,
        args: impl IntoTree<G::Args>,
        observed: &ChoiceMap,
    ) -> Result<Target<ChoiceMap>>
    where
        G: GenerativeFunction + 'static,
        G::Args: IntoTree<G::Args> + 'static,
    {
        let args = args.into_tree();
        let latent = !addresses(observed.addresses());
        let all = with_location(here(), || any_choices(&model, &args));
        let rest = ChoiceMap::from(all.record().only(|address| latent.contains(address)));
        if !all.is_empty() && rest.is_empty() {
            return Err(Error::new(ErrorKind::Value, "every choice is observed")
                .at(here())
                .help("leave out what is to be inferred"));
        }
        let numbers =
            with_location(here(), || real_choices(&model, &args, &observed.union(&rest), &latent))?;
        let (z, unravel) = ravel(&numbers)?;
        let shared = Rc::new((model, args, observed.clone(), latent, unravel));
        let run = {
            let shared = shared.clone();
            move |z: &Array| -> Result<(Array, ChoiceMap)> {
                let (model, args, observed, latent, unravel) = &*shared;
                let numbers: Record = unravel.tree(z)?;
                Ok(chosen(model, args, &numbers, observed, latent))
            }
        };
        let run = Rc::new(run);
        let blamed = shared.clone();
        let explain = move |z: &Array| {
            let (model, args, observed, latent, unravel) = &*blamed;
            let numbers = unravel.tree::<Record>(z);
            numbers.map_or_else(|_| Vec::new(), |it| culprit(model, args, &it, observed, latent))
        };
        let (again, location) = (run.clone(), here());
        let log_density = move |z: &Array| match run(z) {
            Ok((score, _)) => score,
            Err(error) => Array::invalid(error, location),
        };
        let back = move |values: &ChoiceMap| {
            let (model, args, observed, latent, _) = &*shared;
            Ok(ravel(&real_choices(model, args, &observed.union(values), latent)?)?.0)
        };
        let way = move |z: &Array| Ok(again(z)?.1);
        let target = Target::of_parts(zeros_like(&z), log_density, way, back);
        Ok(Target { explain: Some(Rc::new(explain)), ..target })
    }
}

/// The target of choices as one of a record of them.
impl From<Target<ChoiceMap>> for Target<Record> {
    fn from(target: Target<ChoiceMap>) -> Target<Record> {
        let Target { start, log_density, constrain, unconstrain, explain } = target;
        Target {
            start,
            log_density,
            constrain: Rc::new(move |z: &Array| Ok(constrain(z)?.into())),
            unconstrain: Rc::new(move |values: &Record| unconstrain(&values.clone().into())),
            explain,
        }
    }
}

/// The path of a leaf, for messages: `["x"]["y"]` as `x/y`.
fn named(path: &str) -> String {
    let path = path.strip_prefix(".record").filter(|rest| rest.starts_with('[')).unwrap_or(path);
    let parts = path.split(['[', ']', '"']).filter(|part| !part.is_empty());
    let name = parts.collect::<Vec<_>>().join("/");
    if name.is_empty() { "the value".to_string() } else { name }
}

/// How a constrained array of a record comes from its part of the vector.
struct Part {
    path: String,
    onto: Box<dyn Bijector>,
    /// Of the unconstrained array.
    shape: Shape,
}

impl Target<Record> {
    /// Of a function of a record of numbers, those of some paths in a set of their own: their
    /// support. Others may have any value. The start must lie within.
    ///
    /// # Errors
    /// A path that the record has not, a set that no bijector leads to, a start outside.
    #[track_caller]
    pub fn within<P: AsRef<str>>(
        log_density: impl Fn(Record) -> Array + 'static,
        start: Record,
        sets: impl IntoIterator<Item = (P, Constraint)>,
    ) -> Result<Target<Record>> {
        let location = here();
        let mut parts = Vec::new();
        for (path, constraint) in sets {
            let path = path.as_ref().to_string();
            let Some(array) = start.get(&path) else {
                let message = format!("the record has no array `{path}`");
                let known = start.paths().join(", ");
                return Err(Error::new(ErrorKind::Value, message)
                    .at(location)
                    .help(format!("it has {known}")));
            };
            let onto = with_location(location, || biject_to(&constraint))?;
            if !constraint.check(array).all().item::<bool>().unwrap_or(true) {
                let message = format!("the start of `{path}` is not {constraint}: {array}");
                return Err(Error::new(ErrorKind::Value, message)
                    .at(location)
                    .note("it was made", Some(array.location()))
                    .help("begin inside of the set"));
            }
            let shape = onto.inverse_shape(array.shape())?;
            parts.push(Part { path, onto, shape });
        }
        let free = |values: &Record, parts: &[Part]| -> Result<Record> {
            let mut free = values.clone();
            for part in parts {
                let Some(array) = values.get(&part.path) else {
                    let message = format!("the record has no array `{}`", part.path);
                    return Err(Error::new(ErrorKind::Value, message).at(here()));
                };
                free = free.replace(&part.path, part.onto.inverse(array))?;
            }
            Ok(free)
        };
        let (z, unravel) = ravel(&free(&start, &parts)?)?;
        let shared = Rc::new((parts, unravel));
        let constrained = {
            let shared = shared.clone();
            move |z: &Array| -> Result<(Record, Array)> {
                let (parts, unravel): &(Vec<Part>, Unravel) = &shared;
                let mut values: Record = unravel.tree(z)?;
                let mut volume = Array::from(0.0);
                for part in parts {
                    let x = values[part.path.as_str()].reshape(&part.shape);
                    volume += part.onto.log_det(&x).sum();
                    values = values.replace(&part.path, part.onto.forward(&x))?;
                }
                Ok((values, volume))
            }
        };
        let constrained = Rc::new(constrained);
        let of_vector = {
            let constrained = constrained.clone();
            move |z: &Array| match constrained(z) {
                Ok((values, volume)) => without_location(|| log_density(values)) + volume,
                Err(error) => Array::invalid(error, location),
            }
        };
        let back = move |values: &Record| Ok(ravel(&free(values, &shared.0)?)?.0);
        Ok(Target::of_parts(z, of_vector, move |z| Ok(constrained(z)?.0), back))
    }
}
