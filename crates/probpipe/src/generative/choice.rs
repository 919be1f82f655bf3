//! A distribution as a generative function: one random choice. Its value is checked here, whatever
//! it was given from.

use super::GenerativeFunction;
use super::census::{Densities, Density, Found, values};
use super::free::{Free, onto};
use super::source::{Context, Source};
use super::subtrace::{ALONE, Subtrace, total};
use crate::constraints::Constraint;
use crate::distributions::{Distribution, ImproperUniform, LogProb, Sample, Support};
use crate::record::Part;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Loc, Shape, ShapeDisplay, here, select, with_location,
    zeros,
};

/// Of the choice that a distribution makes the arguments are `()`, since it has its parameters.
impl<D> GenerativeFunction for D
where
    D: Sample + LogProb + Support<Value = Array>,
{
    type Args = ();
    type Value = Array;

    #[track_caller]
    fn trace(&self, source: Source, (): ()) -> (Subtrace, Array) {
        let location = here();
        with_location(location, || choose(self, source, location))
    }
}

/// A choice that is given, or inferred by [`Target::of`](crate::inference::Target::of): there are
/// no draws to simulate it by.
impl GenerativeFunction for ImproperUniform {
    type Args = ();
    type Value = Array;

    #[track_caller]
    fn trace(&self, source: Source, (): ()) -> (Subtrace, Array) {
        let location = here();
        with_location(location, || choose(&Flat(self), source, location))
    }
}

/// A distribution as a trait object.
trait Law {
    fn shape(&self) -> Shape;
    /// None of a distribution that has no draws.
    fn draw(&self, key: Key) -> Option<Array>;
    fn log_density(&self, x: &Array) -> Array;
    fn set(&self) -> Constraint;
}

impl<D: Sample + LogProb + Support<Value = Array>> Law for D {
    fn shape(&self) -> Shape {
        self.batch_shape().iter().chain(&self.event_shape()).copied().collect()
    }

    fn draw(&self, key: Key) -> Option<Array> {
        Some(self.sample_shape(key, Shape::new()))
    }

    fn log_density(&self, x: &Array) -> Array {
        self.log_prob(x)
    }

    fn set(&self) -> Constraint {
        self.support()
    }
}

struct Flat<'a>(&'a ImproperUniform);

impl Law for Flat<'_> {
    fn shape(&self) -> Shape {
        self.0.batch_shape().iter().chain(&self.0.event_shape()).copied().collect()
    }

    fn draw(&self, _: Key) -> Option<Array> {
        None
    }

    fn log_density(&self, x: &Array) -> Array {
        self.0.log_prob(x)
    }

    fn set(&self) -> Constraint {
        self.0.support()
    }
}

/// A draw; in a run that only sees what there is, the middle of what has none.
fn drawn(law: &dyn Law, key: Key, context: &Context, location: Loc) -> Array {
    if let Some(draw) = law.draw(key) {
        return draw;
    }
    let path = context.shown();
    if context.free == Free::Middle {
        let middle = onto(path, &law.set(), location)
            .and_then(|onto| Ok(onto.forward(&zeros(onto.inverse_shape(&law.shape())?))));
        return middle.unwrap_or_else(|error| Array::invalid(error, location));
    }
    let message = format!("`{path}` has a flat distribution, of which there are no draws");
    let error = Error::new(ErrorKind::Value, message)
        .at(location)
        .note(format!("`{}` was called", context.method), Some(context.location))
        .help("give it a value, infer it with `Target::of`, or give it a distribution");
    Array::invalid(error, location)
}

fn choose(law: &dyn Law, source: Source, location: Loc) -> (Subtrace, Array) {
    if let Some(census) = &source.context.census {
        let (low, count) = values(&law.set()).map_or((0, None), |(low, n)| (low, Some(n)));
        let (address, shape) = (source.context.path.clone(), law.shape());
        let dtype = probpipe_trace::default_float();
        census.note(Found { address, location, shape, dtype, low, count });
    }
    let path = source.context.shown();
    let number = source.context.summing && law.set().is_integer();
    let real = match &source.context.free {
        Free::Onto(latent) if latent.contains(path) && !number => {
            return from_real(law, &source, path, location);
        }
        Free::Real(latent) if latent.contains(path) && !number => Some(path.to_string()),
        _ => None,
    };
    // An update keeps no value that was not there, and has none of its own.
    let kept = source.before.is_some() && source.key.is_none() && source.given.is_none();
    let gone = source.held().filter(|_| kept).cloned();
    let notes = source.context.densities.clone().map(|notes| (notes, path.to_string()));
    let value = value(law, source, location);
    if value.error().is_some() {
        return (Subtrace::Choice { value: value.clone(), score: value.clone() }, value);
    }
    let density = law.log_density(&value);
    note(notes.as_ref(), &value, &density, location);
    let density = match gone {
        Some(held) => select(held, density, f64::NAN),
        None => density,
    };
    // Numbers as written take the type that the density has with them.
    let value = match value.is_weak() && !law.set().is_integer() && density.dtype().is_float() {
        true => value.in_dtype(density.dtype()),
        false => value.decided(),
    };
    let score = total([&density]);
    let value = match score.error() {
        Some(error) => Array::invalid(error.clone(), location),
        None => value,
    };
    let recorded = match real {
        None => value.clone(),
        Some(path) => match onto(&path, &law.set(), location) {
            Ok(onto) => onto.inverse(&value),
            Err(error) => return invalid(error, location),
        },
    };
    (Subtrace::Choice { value: recorded, score }, value)
}

/// Notes a log-density, where that is asked for, at its address.
fn note(notes: Option<&(Densities, String)>, value: &Array, density: &Array, location: Loc) {
    if let Some((notes, address)) = notes {
        let (address, value, density) = (address.clone(), value.clone(), density.clone());
        notes.note(Density { address, location, value, density });
    }
}

fn invalid(error: Error, location: Loc) -> (Subtrace, Array) {
    let value = Array::invalid(error, location);
    (Subtrace::Choice { value: value.clone(), score: value.clone() }, value)
}

/// The choice that real numbers stand for; the volume of the way counts in its score.
fn from_real(law: &dyn Law, source: &Source, path: &str, location: Loc) -> (Subtrace, Array) {
    let onto = match onto(path, &law.set(), location) {
        Ok(onto) => onto,
        Err(error) => return invalid(error, location),
    };
    let Some(Part::Array(numbers)) = &source.given else {
        let message = format!("no real numbers are given for the choice `{path}`");
        return invalid(Error::new(ErrorKind::Value, message).at(location), location);
    };
    let value = onto.forward(numbers);
    let density = law.log_density(&value);
    let notes = source.context.densities.clone().map(|notes| (notes, path.to_string()));
    note(notes.as_ref(), &value, &density, location);
    let score = total([&density, &onto.log_det(numbers)]);
    let value = match score.error() {
        Some(error) => Array::invalid(error.clone(), location),
        None => value,
    };
    (Subtrace::Choice { value: value.clone(), score }, value)
}

/// The value, from where the source has it.
fn value(law: &dyn Law, source: Source, location: Loc) -> Array {
    let context = &source.context;
    let path = context.shown();
    let method = context.method;
    let again = source.again.contains(path);
    let before = match &source.before {
        Some(Subtrace::Choice { value, .. }) => Some(value),
        _ => None,
    };
    let fault = |kind: ErrorKind, message: String| {
        Error::new(kind, message)
            .at(location)
            .note(format!("`{method}` was called"), Some(context.location))
    };
    let given = match &source.given {
        Some(Part::Array(array)) => Some(array),
        Some(Part::Record(record)) if record.is_empty() => None,
        // The only choice there is.
        Some(Part::Record(record)) if context.path.is_empty() && record.names() == [ALONE] => {
            record.get(ALONE)
        }
        Some(Part::Record(record)) => {
            let stranger = record.paths().into_iter().next().unwrap_or_default();
            let full = super::address::below(&context.path, &stranger);
            let line = context.line(&full, &record[stranger.as_str()]);
            let error = Error::new(ErrorKind::Value, format!("no choice has the address `{full}`"))
                .at(line)
                .note(format!("`{method}` was called"), Some(context.location))
                .note(format!("`{path}` is chosen"), Some(location))
                .help(format!("`{path}` is one choice: give an array for it"));
            return Array::invalid(error, location);
        }
        None => None,
    };
    if let Some(given) = given {
        return match check(law, given, before, context, location) {
            Ok(array) => array,
            Err(error) => {
                let error = error.note(format!("`{method}` was called"), Some(context.location));
                Array::invalid(error, location)
            }
        };
    }
    if let Some(before) = before
        && !again
    {
        let held = source.held().cloned();
        return match (held, source.key) {
            (Some(held), Some(key)) => select(held, before, drawn(law, key, context, location)),
            _ => before.clone(),
        };
    }
    match source.key {
        Some(key) => drawn(law, key, context, location),
        None => {
            let error =
                fault(ErrorKind::Value, format!("`{method}` has no value for the choice `{path}`"));
            let help = match method {
                "update" => "it was not in the trace: give it a value",
                // Only where the density of several is summed.
                "importance" => "it has one density together with others: give all of them or none",
                _ => "give every choice a value; `importance` draws those that are not given",
            };
            Array::invalid(error.help(help), location)
        }
    }
}

/// A given value, if it is of the choice's shape and kind of type.
fn check(
    law: &dyn Law,
    given: &Array,
    before: Option<&Array>,
    context: &Context,
    location: Loc,
) -> Result<Array, Error> {
    let path = context.shown();
    let ty = given.ty()?;
    let fault = |kind: ErrorKind, what: String, help: &str| {
        Error::new(kind, format!("`{path}` {what}, but was given as {ty}"))
            .at(context.line(path, given))
            .note("it is chosen", Some(location))
            .help(help)
    };
    let shape = law.shape();
    if ty.shape != shape {
        // Of a distribution that is invalid the shape says nothing.
        if let Some(error) = law.log_density(&zeros(&shape).cast(ty.dtype)).error() {
            return Err(error.clone());
        }
        let shape = ShapeDisplay(&shape);
        let help = "give an array of the batch shape and event shape of its distribution";
        return Err(fault(ErrorKind::Shape, format!("is of shape {shape}"), help));
    }
    let integer = law.set().is_integer();
    if integer && ty.dtype.is_float() {
        let help = "convert it with `.cast(DType::I32)`";
        return Err(fault(ErrorKind::DType, "is an integer".to_string(), help));
    }
    if !integer && !ty.dtype.is_float() {
        // A number as written may be a fraction.
        let float = before.map_or_else(probpipe_trace::default_float, Array::dtype);
        if given.is_weak() {
            return Ok(given.in_dtype(float));
        }
        let help = "convert it with `.cast(DType::F32)`";
        return Err(fault(ErrorKind::DType, "is a float".to_string(), help));
    }
    let Some(before) = before else { return Ok(given.clone()) };
    let typed = if given.is_weak() { given.in_dtype(before.dtype()) } else { given.clone() };
    if typed.error().is_none() && typed.dtype() != before.dtype() && ty.dtype != DType::Bool {
        let what = format!("is of type {} in the trace", before.dtype());
        let help = format!("convert it with `.cast(DType::{:?})`", before.dtype());
        return Err(fault(ErrorKind::DType, what, &help));
    }
    Ok(typed)
}
