//! Targets of distributions: joints of named parts of which some are observed, and one distribution
//! alone. Supports are those of the parts, so that the user gives none.

use super::Target;
use crate::bijectors::{Bijector, biject_to};
use crate::distributions::{Joint, LogProb, RealRun, Sample, Support};
use crate::generative::suggestion;
use crate::record::{Record, ravel};
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Loc, Result, Shape, here, with_location, zeros_like,
};
use std::rc::Rc;

impl Target<Record> {
    /// Of the parts of a joint that are not observed, given those that are, by their paths: each
    /// array in the support of its part, which may depend on the parts before it. The start is
    /// zeros, which every support has in its middle. What is observed is one draw of its part, so
    /// it has the shape of one. Discrete parts must be observed.
    ///
    /// ```
    /// use probpipe::inference::Target;
    /// use probpipe::{Sequential, prelude::*};
    /// let joint = Sequential::new(())
    ///     .then("mean", |_, _: &Record| Normal::new(0.0, 10.0))
    ///     .then("scale", |_, _: &Record| Exponential::new(1.0))
    ///     .then("y", |_, r: &Record| Normal::new(r["mean"].broadcast_to([3]), &r["scale"]));
    /// let observed = Record::new([("y", array([1.2, 0.4, -0.3]))]);
    /// let target = Target::given(joint, &observed)?;
    /// assert_eq!(target.size(), 2);
    /// let z = array([0.5, -1.0]);
    /// assert!((target.constrain(&z)?["scale"].item::<f32>()? - (-1.0f32).exp()).abs() < 1e-6);
    /// let slope = jit(grad(|z: Array| target.log_density(&z)))(z);
    /// assert_eq!(slope.shape(), [2]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the joint; observed paths that it has not, or of another shape; parts that no
    /// bijector leads to; nothing left to infer.
    #[track_caller]
    pub fn given<J: Joint + 'static>(joint: J, observed: &Record) -> Result<Target<Record>> {
        let location = here();
        let known: Vec<String> = joint.layout()?.into_iter().map(|(path, _)| path).collect();
        for (path, x) in observed.arrays() {
            x.ty()?;
            if !known.contains(&path) {
                let message = format!("no part of the {} has the path `{path}`", joint.title());
                return Err(Error::new(ErrorKind::Value, message)
                    .at(x.location())
                    .note("the target is made", Some(location))
                    .help(suggestion(&path, &known)));
            }
        }
        if !known.is_empty() && known.iter().all(|path| observed.get(path).is_some()) {
            return Err(Error::new(ErrorKind::Value, "every part is observed")
                .at(location)
                .help("leave out what is to be inferred"));
        }
        // Any draw says what there is.
        let draw = with_location(location, || joint.sample_shape(Key::new(0), Shape::new()));
        let shared = Rc::new((joint, observed.clone()));
        let (numbers, _) = walked(&shared.0, RealRun::from_values(observed, &draw), location)?;
        let (z, unravel) = ravel(&numbers)?;
        let unravel = Rc::new(unravel);
        let run = {
            let (shared, unravel) = (shared.clone(), unravel.clone());
            move |z: &Array| -> Result<(Record, Array)> {
                let (joint, observed) = &*shared;
                let numbers: Record = unravel.tree(z)?;
                walked(joint, RealRun::onto(observed, &numbers), location)
            }
        };
        let run = Rc::new(run);
        let again = run.clone();
        let log_density = move |z: &Array| match run(z) {
            Ok((_, density)) => density,
            Err(error) => Array::invalid(error, location),
        };
        let back = move |values: &Record| {
            let (joint, observed) = &*shared;
            let (numbers, _) = walked(joint, RealRun::from_values(observed, values), location)?;
            Ok(ravel(&numbers)?.0)
        };
        Ok(Target::of_parts(zeros_like(&z), log_density, move |z| Ok(again(z)?.0), back))
    }
}

/// What a run records, and the log-density.
fn walked<J: Joint>(joint: &J, mut run: RealRun<'_>, location: Loc) -> Result<(Record, Array)> {
    with_location(location, || joint.walk("", &mut run))?;
    let (recorded, density) = with_location(location, || run.finish());
    match density.error() {
        Some(error) => Err(error.clone()),
        None => Ok((recorded, density)),
    }
}

impl Target<Array> {
    /// Of one distribution of arrays, batch copies together: a draw, in its support.
    ///
    /// ```
    /// use probpipe::inference::Target;
    /// use probpipe::{Dirichlet, prelude::*};
    /// let target = Target::over(Dirichlet::new([2.0, 3.0, 5.0]))?;
    /// assert_eq!(target.size(), 2);
    /// assert_eq!(target.constrain(&array([0.3, -0.2]))?.shape(), [3]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ///
    /// # Errors
    /// That of the distribution; a support that no bijector leads to.
    #[track_caller]
    pub fn over<D>(distribution: D) -> Result<Target<Array>>
    where
        D: LogProb + Sample + Support<Value = Array> + 'static,
    {
        let location = here();
        let draw = with_location(location, || distribution.sample_shape(Key::new(0), Shape::new()));
        draw.ty()?;
        let onto = with_location(location, || biject_to(&distribution.support()))?;
        let onto: Rc<dyn Bijector> = onto.into();
        let numbers = onto.inverse(&draw);
        let shape: Shape = numbers.ty()?.shape;
        let (z, _) = ravel(&numbers)?;
        let sized = {
            let (shape, length) = (shape.clone(), z.size());
            move |z: &Array| -> Result<Array> {
                let ty = z.ty()?;
                if ty.shape[..] != [length] {
                    let message = format!("the target takes vectors of {length}, not {ty}");
                    return Err(Error::new(ErrorKind::Shape, message)
                        .at(here())
                        .note("the array was made", Some(z.location())));
                }
                Ok(z.reshape(&shape))
            }
        };
        let (of_vector, forward, inverse) = (sized.clone(), onto.clone(), onto.clone());
        let log_density = move |z: &Array| match of_vector(z) {
            Ok(x) => {
                let value = onto.forward(&x);
                distribution.log_prob(&value).sum() + onto.log_det(&x).sum()
            }
            Err(error) => Array::invalid(error, location),
        };
        let constrain = move |z: &Array| Ok(forward.forward(&sized(z)?));
        let back = move |x: &Array| Ok(ravel(&inverse.inverse(x))?.0);
        Ok(Target::of_parts(zeros_like(&z), log_density, constrain, back))
    }
}
