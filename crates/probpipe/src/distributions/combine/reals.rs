//! Joint distributions over real numbers: every array of a draw that is not observed is the image
//! of free numbers under the bijector onto the support of its part, as that is when the joint comes
//! by it, and the volume of the way counts in the density. Targets of inference are made of this.

use crate::bijectors::biject_to;
use crate::constraints::Constraint;
use crate::distributions::shapes::join;
use crate::distributions::{LogProb, Sample, Support};
use crate::record::{Part, Record};
use probpipe_trace::{Array, Error, ErrorKind, Result, Shape, ShapeDisplay, here, with_location};

/// Distributions that joints may have as parts: those that say how their draws come from real
/// numbers, or that they do not. All arrays with a [`Support`] do.
pub trait RealForm: LogProb + Sample {
    /// The value at `path` of a joint draw, from what the run has there; its log-density is added
    /// to those of the run.
    ///
    /// # Errors
    /// An observed array of another shape; a value that is not observed and no function of real
    /// numbers.
    #[track_caller]
    fn walk(&self, path: &str, run: &mut RealRun<'_>) -> Result<Self::Value>;
}

/// A run through a joint: what is observed, and real numbers or values for the rest.
#[derive(Debug)]
pub struct RealRun<'a> {
    observed: &'a Record,
    /// By paths, for what is not observed: real numbers, or values.
    given: &'a Record,
    /// Whether real numbers are given.
    onto: bool,
    /// The other of both.
    recorded: Record,
    density: Option<Array>,
}

impl<'a> RealRun<'a> {
    /// From real numbers for what is not observed.
    pub(crate) fn onto(observed: &'a Record, numbers: &'a Record) -> RealRun<'a> {
        RealRun { observed, given: numbers, onto: true, recorded: Record::default(), density: None }
    }

    /// From values for what is not observed.
    pub(crate) fn from_values(observed: &'a Record, values: &'a Record) -> RealRun<'a> {
        RealRun { onto: false, ..RealRun::onto(observed, values) }
    }

    /// The values that real numbers were given for, or the numbers for given values; and the
    /// log-density, a scalar.
    #[track_caller]
    pub(crate) fn finish(self) -> (Record, Array) {
        (self.recorded, self.density.unwrap_or_else(|| Array::from(0.0)))
    }

    fn add(&mut self, term: Array) {
        self.density = Some(match self.density.take() {
            Some(sum) => sum + term,
            None => term,
        });
    }

    /// The value of an array of a shape, in a set.
    #[track_caller]
    fn array(
        &mut self,
        path: &str,
        shape: &Shape,
        set: &dyn Fn() -> Constraint,
        log_prob: &dyn Fn(&Array) -> Array,
    ) -> Result<Array> {
        let location = here();
        if let Some(x) = self.observed.get(path) {
            let ty = x.ty()?;
            if ty.shape != *shape {
                let message = format!(
                    "`{path}` is of shape {}, but is observed as {ty}",
                    ShapeDisplay(shape)
                );
                return Err(Error::new(ErrorKind::Shape, message)
                    .at(x.location())
                    .note("the target is made", Some(location))
                    .help("give its part the shape of the data, see `broadcast_to`"));
            }
            self.add(with_location(location, || log_prob(x).sum()));
            return Ok(x.clone());
        }
        let Some(x) = self.given.get(path) else {
            let message = format!("there is no value for `{path}`");
            return Err(Error::new(ErrorKind::Value, message).at(location).help(self.given.list()));
        };
        let onto = with_location(location, || biject_to(&set())).map_err(|error| {
            let message = format!("`{path}` is no function of real numbers: {}", error.message());
            let help = "observe it, or sum it out of the joint";
            Error::new(error.kind(), message).at(location).help(help)
        })?;
        with_location(location, || {
            if !self.onto {
                self.recorded.insert(path, onto.inverse(x));
                self.add(log_prob(x).sum());
                return Ok(x.clone());
            }
            let value = onto.forward(x);
            self.recorded.insert(path, value.clone());
            self.add(log_prob(&value).sum() + onto.log_det(x).sum());
            Ok(value)
        })
    }

    /// The value of a part that does not say how it comes from real numbers: it must be observed.
    /// `kind` finds it in what a record holds, `what` says what the part is.
    #[track_caller]
    pub(crate) fn observed<D: LogProb<Value: Clone>>(
        &mut self,
        path: &str,
        of: &D,
        kind: fn(&Part) -> Option<&D::Value>,
        what: &str,
    ) -> Result<D::Value> {
        let location = here();
        let Some(x) = self.observed.part(path).and_then(kind) else {
            let message = format!("`{path}` is no function of real numbers: it is {what}");
            let help = "observe it, or give its part a distribution that has a support";
            return Err(Error::new(ErrorKind::Value, message).at(location).help(help));
        };
        self.add(with_location(location, || of.log_prob(x).sum()));
        Ok(x.clone())
    }
}

impl<D: LogProb + Sample + Support<Value = Array>> RealForm for D {
    fn walk(&self, path: &str, run: &mut RealRun<'_>) -> Result<Array> {
        let shape = join(&self.batch_shape(), &self.event_shape());
        run.array(path, &shape, &|| self.support(), &|x| self.log_prob(x))
    }
}
