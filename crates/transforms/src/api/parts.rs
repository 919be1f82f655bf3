//! Gradients with respect to parts of an argument: of some of several arguments, or of some fields
//! of a struct. What remains is passed on as it is and has no derivative.

use super::gradient::gradient;
use super::lift::{Function, leaf_name, lift_plain, poison, transform_error};
use probpipe_trace::{Array, Error, Flat, Loc, Result, Shell, Structure, Tree, on_flat};
use std::panic::Location;

/// The gradient of a scalar function with respect to the part of its argument that `wrt` picks,
/// with the structure of that part. The rest of the argument may be of any type.
///
/// `wrt` takes the argument and gives what of it varies: arrays of it as they are, each once, in a
/// tree of any form. It is an error where it computes.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::grad_wrt;
/// let loss = |(w, x, y): (Array, Array, Array)| (x * w - y).square().sum();
/// let slope = grad_wrt(|(w, _, _)| w, loss);
/// let dw = slope((array(1.0), array([1.0, 2.0]), array([0.0, 0.0])));
/// assert_eq!(dw.item::<f32>()?, 10.0);
/// // The first and the last.
/// let (dw, dy) = grad_wrt(|(w, _, y)| (w, y), loss)((array(1.0), array(2.0), array(0.0)));
/// assert_eq!((dw.item::<f32>()?, dy.item::<f32>()?), (8.0, -4.0));
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn grad_wrt<A: Tree, W: Tree>(wrt: impl Fn(A) -> W, f: impl Fn(A) -> Array) -> impl Fn(A) -> W {
    let location = Location::caller();
    move |x: A| partly("grad_wrt", location, &wrt, &f, x).1
}

/// The value of a scalar function, and its gradient as [`grad_wrt`] gives it.
///
/// ```
/// use probpipe_trace::{Array, Tree, array};
/// use probpipe_transforms::value_and_grad_wrt;
/// #[derive(Tree)]
/// # #[tree(crate = probpipe_trace)]
/// struct Line {
///     slope: Array,
///     degree: Array,
/// }
/// let f = |line: Line| line.slope * line.degree.cast(probpipe_trace::DType::F32) * 2.0;
/// let line = Line { slope: array(1.5), degree: array(3) };
/// let (y, dy) = value_and_grad_wrt(|line: Line| line.slope, f)(line);
/// assert_eq!((y.item::<f32>()?, dy.item::<f32>()?), (9.0, 6.0));
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn value_and_grad_wrt<A: Tree, W: Tree>(
    wrt: impl Fn(A) -> W,
    f: impl Fn(A) -> Array,
) -> impl Fn(A) -> (Array, W) {
    let location = Location::caller();
    move |x: A| partly("value_and_grad_wrt", location, &wrt, &f, x)
}

fn partly<A: Tree, W: Tree>(
    name: &str,
    location: Loc,
    wrt: &dyn Fn(A) -> W,
    f: &dyn Fn(A) -> Array,
    x: A,
) -> (Array, W) {
    let flat = Flat::of(&x);
    let shell = Shell::new(location, x);
    let (y, dx) = partial(name, location, &shell.on(wrt), &on_flat(location, f), flat);
    (y.put_in(Array::from(0.0), location), shell.result(wrt, dx))
}

/// The value, and the gradient of the part that `wrt` picks.
fn partial(name: &str, location: Loc, wrt: Function<'_>, f: Function<'_>, x: Flat) -> (Flat, Flat) {
    let x = x.typed();
    let refused =
        |error: &Error| (poison(&x, f, error, location), poison(&x, wrt, error, location));
    if let Some(error) = x.error() {
        return refused(error);
    }
    let (places, structure) = match picked(name, location, wrt, &x) {
        Ok(found) => found,
        Err(error) => return refused(&error),
    };
    let leaves = places.iter().map(|&place| x.leaves[place].clone()).collect();
    let part = |part: Flat| {
        let mut whole = x.clone();
        for (&place, leaf) in places.iter().zip(part.leaves) {
            whole.leaves[place] = leaf;
        }
        f(whole)
    };
    gradient(name, location, &part, Flat { leaves, structure })
}

/// Which leaves of `x` come out of `wrt`, and in which structure.
fn picked(
    name: &str,
    location: Loc,
    wrt: Function<'_>,
    x: &Flat,
) -> Result<(Vec<usize>, Structure)> {
    let lifted = lift_plain(location, x, wrt).map_err(|failure| failure.error)?;
    let inputs = &lifted.graph.inputs()[..lifted.arguments];
    let mut places: Vec<usize> = Vec::new();
    for (i, var) in lifted.graph.outputs().iter().enumerate() {
        let help = "give arrays of the argument back as they are, each once: `|(a, _)| a`";
        let Some(place) = inputs.iter().position(|input| input == var) else {
            let message = format!("`{name}` picks arrays of the argument, this one is made anew");
            let eqn = lifted.graph.eqns().iter().find(|eqn| eqn.outputs.contains(var));
            let error = transform_error(location, message, help);
            return Err(match eqn {
                Some(eqn) => error.note("it is made", Some(eqn.location)),
                None => error.note(format!("it is leaf {i} of what is picked"), None),
            });
        };
        if places.contains(&place) {
            let leaf = leaf_name(&lifted.input, place);
            let message = format!("`{name}` picks {leaf} twice");
            return Err(transform_error(location, message, help));
        }
        places.push(place);
    }
    Ok((places, lifted.output))
}
