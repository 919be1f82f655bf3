//! Derivatives of any function at a point: along a tangent, against a cotangent, as a linear map.

use super::lift::{
    Function, Lifted, check_floats, failed, lift, own_types, poison, run, transform_error,
};
use crate::jvp::spread;
use crate::linearize::linearize as linearize_graph;
use crate::simplify::simplify;
use crate::transpose::transpose;
use probpipe_trace::eval::eval_graph;
use probpipe_trace::{
    Array, ArrayType, DType, Error, Flat, Graph, Loc, Result, Shell, Structure, Tree, Value,
    full_typed, last_resort, on_flat, with_location, zero_value, zeros_like,
};
use std::panic::Location;

/// The value of `f` at `x`, and its derivative along `tangent`. Leaves that are no floats have no
/// derivative: their tangents are not read, and come out as zeros.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::jvp;
/// let (y, dy) = jvp(|x: Array| x.exp(), array(0.0), array(2.0));
/// assert_eq!((y.item::<f32>()?, dy.item::<f32>()?), (1.0, 2.0));
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn jvp<A: Tree, R: Tree>(f: impl Fn(A) -> R, x: A, tangent: A) -> (R, R) {
    with_tangent("jvp", Location::caller(), &f, x, tangent)
}

fn with_tangent<A: Tree, R: Tree>(
    name: &'static str,
    location: Loc,
    f: &dyn Fn(A) -> R,
    x: A,
    tangent: A,
) -> (R, R) {
    let (flat, dx) = (Flat::of(&x), Flat::of(&tangent));
    let (shell, second) = (Shell::new(location, x), Shell::new(location, tangent));
    let (y, dy) = jvp_at(name, location, &shell.on(f), flat, &dx);
    (shell.result(f, y), second.result(f, dy))
}

/// As [`jvp`], of a function that also gives something that is not differentiated:
/// `(value, tangent, aux)`.
#[track_caller]
pub fn jvp_aux<A: Tree, R: Tree, X: Tree>(f: impl Fn(A) -> (R, X), x: A, tangent: A) -> (R, R, X) {
    let location = Location::caller();
    let ((y, aux), (dy, _)) =
        with_tangent("jvp_aux", location, &fixed_aux(f, location), x, tangent);
    (y, dy, aux)
}

/// The function with its second result as a constant.
fn fixed_aux<A: Tree, R: Tree, X: Tree>(
    f: impl Fn(A) -> (R, X),
    location: Loc,
) -> impl Fn(A) -> (R, X) {
    move |x| {
        let (y, aux) = f(x);
        (y, with_location(location, || aux.map(Array::stop_gradient)))
    }
}

/// [`jvp`] for the function `name` called at `location`.
pub(super) fn jvp_at(
    name: &'static str,
    location: Loc,
    f: Function<'_>,
    x: Flat,
    tangent: &Flat,
) -> (Flat, Flat) {
    let both = |y: Flat, error: &Error| {
        let dy = Flat::invalid(&y.structure, error, location);
        (y, dy)
    };
    if let Some(error) = x.error().or_else(|| tangent.error()) {
        return both(poison(&x, f, error, location), error);
    }
    let lifted = match lift(location, &x, f, &mut own_types) {
        Ok(lifted) => lifted,
        Err(failure) => return both(failed(&x, f, &failure, location), &failure.error),
    };
    let result = tangent_leaves(name, &lifted, tangent, location).and_then(|dx| {
        let floats: Vec<bool> = lifted.graph.input_types().map(|ty| ty.dtype.is_float()).collect();
        let wrt = lifted.with_captures(&floats[..lifted.arguments]);
        let forward = crate::jvp::jvp(&lifted.graph, &wrt)?;
        let mut operands = lifted.operands.clone();
        operands.extend(dx.into_iter().zip(&wrt).filter(|(_, w)| **w).map(|(dx, _)| dx));
        let mut y = run(location, &simplify(&forward.graph), &operands);
        let dy = y.split_off(forward.nonzero.len());
        let dy = spread(&dy, &forward.nonzero);
        let zero = |y: &Array| with_location(location, || zeros_like(y));
        let dy = y.iter().zip(dy).map(|(y, dy)| dy.unwrap_or_else(|| zero(y))).collect();
        Ok((y, dy))
    });
    match result {
        Ok((y, dy)) => {
            let output = lifted.output;
            (Flat::new(output.clone(), y, location), Flat::new(output, dy, location))
        }
        Err(error) => both(Flat::invalid(&lifted.output, &error, location), &error),
    }
}

/// The value of `f` at `x`, and its derivative there as a linear function of a tangent.
#[track_caller]
pub fn linearize<A: Tree, R: Tree>(f: impl Fn(A) -> R, x: A) -> (R, impl Fn(A) -> R) {
    let (location, flat) = (Location::caller(), Flat::of(&x));
    let shell = Shell::new(location, x);
    let (y, point) = Point::at("linearize", location, &shell.on(&f), &flat);
    let y = shell.result(&f, y);
    let push = move |tangent: A| {
        let dy = point.push(&Flat::of(&tangent));
        Shell::new(location, tangent).result(&f, dy)
    };
    (y, push)
}

/// The value of `f` at `x`, and the function that takes a cotangent of the value to the cotangent
/// of `x`.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::vjp;
/// let (y, pull) = vjp(|(a, b): (Array, Array)| a * b, (array(2.0), array(3.0)));
/// let (da, db) = pull(array(1.0));
/// assert_eq!(y.item::<f32>()?, 6.0);
/// assert_eq!((da.item::<f32>()?, db.item::<f32>()?), (3.0, 2.0));
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn vjp<A: Tree, R: Tree>(f: impl Fn(A) -> R, x: A) -> (R, impl Fn(R) -> A) {
    let (y, pull) = with_pull("vjp", Location::caller(), &f, x);
    (y, move |ct: R| pull.tree(&Flat::of(&ct)))
}

fn with_pull<A: Tree, R: Tree>(
    name: &'static str,
    location: Loc,
    f: &dyn Fn(A) -> R,
    x: A,
) -> (R, Pull) {
    let flat = Flat::of(&x);
    let shell = Shell::new(location, x);
    let (y, pull) = Pull::at(name, location, &shell.on(f), &flat);
    (shell.result(f, y), pull)
}

/// As [`vjp`], of a function that also gives something that is not differentiated:
/// `(value, pull, aux)`.
#[track_caller]
pub fn vjp_aux<A: Tree, R: Tree, X: Tree>(
    f: impl Fn(A) -> (R, X),
    x: A,
) -> (R, impl Fn(R) -> A, X) {
    let location = Location::caller();
    let ((y, aux), pull) = with_pull("vjp_aux", location, &fixed_aux(f, location), x);
    let zeros = with_location(location, || Flat::of(&aux).map(zeros_like));
    (y, move |ct: R| pull.tree(&Flat::of(&ct).pair(zeros.clone())), aux)
}

/// The transpose of a function that is linear in its argument: it takes a cotangent of the result
/// to that of the argument. `like` gives the types of the argument; its values are not read.
///
/// A function that is not linear is an error; one that is linear up to a constant is found out if
/// it takes nothing of an outer trace from around it.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::linear_transpose;
/// let differences = |x: Array| x.slice([1..3]) - x.slice([0..2]);
/// let back = linear_transpose(differences, &array([0.0, 0.0, 0.0]));
/// assert_eq!(back(array([1.0, 10.0])).to_vec::<f32>()?, [-1.0, -9.0, 10.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn linear_transpose<A: Tree, R: Tree, F: Fn(A) -> R>(
    f: F,
    like: &A,
) -> impl Fn(R) -> A + use<A, R, F> {
    let location = Location::caller();
    let transposed = Transposed::at(location, &on_flat(location, &f), &Flat::of(like));
    move |ct: R| made_again(transposed.call(&Flat::of(&ct)), location)
}

/// A tree of which there is none yet.
fn made_again<T: Tree>(flat: Flat, location: Loc) -> T {
    flat.tree(location).unwrap_or_else(|error| last_resort(&error))
}

/// A linear function transposed, or why it could not be.
struct Transposed {
    location: Loc,
    input: Structure,
    /// The function traced, and its transpose: captured arrays and cotangents to cotangents.
    state: Result<(Lifted, Graph)>,
}

impl Transposed {
    fn at(location: Loc, f: Function<'_>, like: &Flat) -> Transposed {
        let state = transposed_at(location, f, like);
        Transposed { location, input: like.structure.clone(), state }
    }

    fn call(&self, ct: &Flat) -> Flat {
        let location = self.location;
        let result = self.state.as_ref().map_err(Error::clone).and_then(|(lifted, backward)| {
            let outputs: Vec<ArrayType> = lifted.graph.output_types().cloned().collect();
            let name = "linear_transpose";
            let cts = cotangent_leaves(name, &lifted.output, &outputs, ct, location)?;
            let mut operands = lifted.operands[lifted.arguments..].to_vec();
            operands.extend(cts);
            Ok(run(location, backward, &operands))
        });
        made(&self.input, result, location)
    }
}

/// A tree of results, or of the error.
fn made(structure: &Structure, leaves: Result<Vec<Array>>, location: Loc) -> Flat {
    match leaves {
        Ok(leaves) => Flat::new(structure.clone(), leaves, location),
        Err(error) => Flat::invalid(structure, &error, location),
    }
}

/// A linear function traced, and its transpose: captured arrays and cotangents to cotangents.
fn transposed_at(location: Loc, f: Function<'_>, like: &Flat) -> Result<(Lifted, Graph)> {
    let lifted = lift(location, like, f, &mut |leaves, structure| {
        check_floats("linear_transpose", leaves, structure, location)?;
        own_types(leaves, structure)
    });
    let lifted = lifted.map_err(|failure| failure.error)?;
    let refuse = |message: &str| {
        let help = "transpose the linear part, or use `vjp` for a function that is not linear";
        transform_error(location, format!("`linear_transpose` {message}"), help)
    };
    if lifted.graph.output_types().any(|ty| !ty.dtype.is_float()) {
        return Err(refuse("takes a function that gives floats"));
    }
    if lifted.operands.len() == lifted.arguments {
        let zeros: Vec<Value> =
            lifted.graph.input_types().map(zero_value).collect::<Result<_>>()?;
        let at_zero = eval_graph(&lifted.graph, &zeros.iter().collect::<Vec<_>>())?;
        for value in at_zero {
            if value.to_scalars()?.iter().any(|s| s.as_f64() != 0.0) {
                return Err(refuse("takes a linear function, this one is not zero at zero"));
            }
        }
    }
    let flags = lifted.with_captures(&vec![true; lifted.arguments]);
    let backward = with_location(location, || transpose(&lifted.graph, &flags))
        .map_err(|error| error.note("`linear_transpose` was called", Some(location)))?;
    let backward = simplify(&backward);
    Ok((lifted, backward))
}

/// The function from cotangents of a value to those of the argument.
pub(super) struct Pull {
    point: Point,
    backward: Result<Graph>,
}

impl Pull {
    /// [`vjp`] for the function `name` called at `location`.
    pub(super) fn at(name: &'static str, location: Loc, f: Function<'_>, x: &Flat) -> (Flat, Pull) {
        let (y, point) = Point::at(name, location, f, x);
        let backward = point.valid().and_then(|p| {
            let mut flags = vec![false; p.residuals.len()];
            flags.resize(p.linear.inputs().len(), true);
            Ok(simplify(&with_location(location, || transpose(&p.linear, &flags))?))
        });
        (y, Pull { point, backward })
    }

    /// The cotangent of the argument, as a tree.
    fn tree<A: Tree>(&self, ct: &Flat) -> A {
        made_again(self.call(ct), self.point.location)
    }

    /// The cotangent of the argument.
    pub(super) fn call(&self, ct: &Flat) -> Flat {
        let Point { name, location, .. } = self.point;
        let result = self.point.valid().and_then(|p| {
            let backward = self.backward.as_ref().map_err(Error::clone)?;
            let cts = cotangent_leaves(name, &p.lifted.output, &p.outputs, ct, location)?;
            let mut operands = p.residuals.clone();
            operands.extend(cts.into_iter().zip(&p.nonzero).filter(|(_, n)| **n).map(|(ct, _)| ct));
            Ok(run(location, backward, &operands))
        });
        made(&self.point.input, result, location)
    }
}

/// A function linearised at a point, or why it could not be.
pub(super) struct Point {
    name: &'static str,
    location: Loc,
    input: Structure,
    output: Structure,
    state: Result<Valid>,
}

struct Valid {
    lifted: Lifted,
    linear: Graph,
    residuals: Vec<Array>,
    nonzero: Vec<bool>,
    outputs: Vec<ArrayType>,
}

impl Point {
    /// [`linearize`] for the function `name` called at `location`.
    pub(super) fn at(
        name: &'static str,
        location: Loc,
        f: Function<'_>,
        x: &Flat,
    ) -> (Flat, Point) {
        let input = x.structure.clone();
        let broken = |y: Flat, error: Error| {
            let output = y.structure.clone();
            (y, Point { name, location, input: input.clone(), output, state: Err(error) })
        };
        if let Some(error) = x.error() {
            return broken(poison(x, f, error, location), error.clone());
        }
        let lifted = lift(location, x, f, &mut |leaves, structure| {
            check_floats(name, leaves, structure, location)?;
            own_types(leaves, structure)
        });
        let lifted = match lifted {
            Ok(lifted) => lifted,
            Err(failure) => {
                return broken(failed(x, f, &failure, location), failure.error);
            }
        };
        let output = lifted.output.clone();
        let linear =
            linearize_graph(&lifted.graph, &lifted.with_captures(&vec![true; lifted.arguments]));
        let linear = match linear {
            Ok(linear) => linear,
            Err(error) => return broken(Flat::invalid(&output, &error, location), error),
        };
        let mut values = run(location, &linear.primal, &lifted.operands);
        let residuals = values.split_off(lifted.graph.outputs().len());
        let outputs = lifted.graph.output_types().cloned().collect();
        let valid =
            Valid { lifted, linear: linear.linear, residuals, nonzero: linear.nonzero, outputs };
        let y = Flat::new(output.clone(), values, location);
        (y, Point { name, location, input, output, state: Ok(valid) })
    }

    /// The derivative of the value along a tangent of the argument.
    pub(super) fn push(&self, tangent: &Flat) -> Flat {
        let location = self.location;
        let result = self.valid().and_then(|p| {
            let dx = tangent_leaves(self.name, &p.lifted, tangent, location)?;
            let mut operands = p.residuals.clone();
            operands.extend(dx.into_iter().take(p.lifted.arguments));
            let dy = spread(&run(location, &p.linear, &operands), &p.nonzero);
            let zero = |ty: &ArrayType| with_location(location, || full_typed(ty, 0));
            Ok(p.outputs.iter().zip(dy).map(|(ty, dy)| dy.unwrap_or_else(|| zero(ty))).collect())
        });
        made(&self.output, result, location)
    }

    fn valid(&self) -> Result<&Valid> {
        self.state.as_ref().map_err(Error::clone)
    }
}

/// The leaves of a tangent, checked against those of the argument.
fn tangent_leaves(
    name: &str,
    lifted: &Lifted,
    tangent: &Flat,
    location: Loc,
) -> Result<Vec<Array>> {
    let structure_fits = tangent.structure == lifted.input;
    let leaves = typed_like(tangent, lifted.operands[..lifted.arguments].iter().map(Array::ty))?;
    for (x, dx) in lifted.operands.iter().zip(&leaves) {
        let (x, dx) = (x.ty()?, dx.ty()?);
        if x.dtype.is_float() && x != dx {
            return Err(transform_error(
                location,
                format!(
                    "`{name}` of an argument of type {x} takes a tangent of that type, not {dx}"
                ),
                "give the tangent the shapes and element types of the argument",
            ));
        }
    }
    if !structure_fits || leaves.len() != lifted.arguments {
        return Err(transform_error(
            location,
            format!("`{name}` takes a tangent with the structure of the argument"),
            "build the tangent as the argument is built",
        ));
    }
    Ok(leaves)
}

fn cotangent_leaves(
    name: &str,
    structure: &Structure,
    outputs: &[ArrayType],
    ct: &Flat,
    location: Loc,
) -> Result<Vec<Array>> {
    if ct.structure != *structure {
        return Err(transform_error(
            location,
            format!("`{name}` takes a cotangent with the structure of the result"),
            "build the cotangent as the result is built",
        ));
    }
    let leaves = typed_like(ct, outputs.iter().cloned().map(Ok))?;
    for (y, ct) in outputs.iter().zip(&leaves) {
        let ct = ct.ty()?;
        if y.dtype.is_float() && *y != ct {
            return Err(transform_error(
                location,
                format!(
                    "`{name}` of a result of type {y} takes a cotangent of that type, not {ct}"
                ),
                "give the cotangent the shapes and element types of the result",
            ));
        }
    }
    Ok(leaves)
}

/// Leaves, with numbers taking the element type of what they go with.
fn typed_like(flat: &Flat, types: impl Iterator<Item = Result<ArrayType>>) -> Result<Vec<Array>> {
    let leaves = flat.leaves.iter();
    leaves
        .zip(types)
        .map(|(leaf, ty)| {
            let dtype: DType = ty?.dtype;
            Ok(leaf.in_dtype(dtype))
        })
        .collect()
}
