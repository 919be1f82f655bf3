//! What families of vectors and matrices share: triangular factors, and checks of those that are no
//! declared family. Points outside of a support are the matter of `events.rs`.

use crate::constraints::Constraint;
use crate::distributions::parameters::require;
use crate::distributions::shapes::join;
use probpipe_trace::{
    Array, Error, ErrorKind, Shape, ShapeDisplay, broadcast_shapes, eye_of, here,
};

/// `L^-1 x` of vectors in the last axis.
#[track_caller]
pub(crate) fn whitened(factor: &Array, centred: &Array) -> Array {
    if let Some(error) = factor.error().or(centred.error()) {
        return Array::invalid(error.clone(), here());
    }
    let d = centred.shape().last().copied().unwrap_or(0);
    // All draws that share one factor are solved against it at once, as columns.
    if factor.rank() == 2 {
        let rows = centred.size() / d.max(1);
        let columns = centred.reshape([rows, d]).transpose();
        let z = factor.solve_triangular(&columns);
        return z.transpose().reshape(centred.shape());
    }
    // One vector per draw and factor: points and factors may each have axes of their own.
    let (points, factors) = (centred.shape(), factor.shape());
    let (points, factors) = (&points[..points.len() - 1], &factors[..factors.len() - 2]);
    let batch = broadcast_shapes(points, factors).unwrap_or_else(|| points.into());
    let factors = factor.broadcast_to(join(&batch, &[d, d]));
    factors.solve_triangular(centred.broadcast_to(join(&batch, &[d])))
}

/// `L^-1 M` of matrices, whose axes in front broadcast.
#[track_caller]
pub(crate) fn solved(factor: &Array, matrix: &Array) -> Array {
    if let Some(error) = factor.error().or(matrix.error()) {
        return Array::invalid(error.clone(), here());
    }
    // Of one axis fewer the right side would be taken for vectors.
    let of = |x: &Array| (x.shape()[..x.rank() - 2].to_vec(), x.shape()[x.rank() - 2..].to_vec());
    let ((a, square), (b, columns)) = (of(factor), of(matrix));
    let batch = broadcast_shapes(&a, &b).unwrap_or_else(|| a.as_slice().into());
    factor
        .broadcast_to(join(&batch, &square))
        .solve_triangular(matrix.broadcast_to(join(&batch, &columns)))
}

/// The lower Cholesky factor of the inverse of a positive definite matrix.
#[track_caller]
pub(super) fn factor_of_inverse(matrix: &Array) -> Array {
    if matrix.error().is_some() {
        return matrix.clone();
    }
    // With P = U U' of upper U, the factor of the inverse is U'^-1; U is the factor of P seen
    // from its last entry.
    let upper = matrix.flip(-1).flip(-2).cholesky().flip(-1).flip(-2);
    let n = matrix.shape().last().copied().unwrap_or(0);
    solved(&upper.swap_axes(-1, -2), &eye_of(matrix.dtype(), n))
}

/// The logarithm of the determinant of a triangular factor.
#[track_caller]
pub(crate) fn log_determinant(factor: &Array) -> Array {
    factor.diagonal().log().sum_axes([-1])
}

/// The sum of the squares of a matrix.
#[track_caller]
pub(super) fn squares(matrix: &Array) -> Array {
    matrix.square().sum_axes([-2, -1])
}

/// A parameter, invalid where its value is known and does not satisfy its constraint.
#[track_caller]
pub(crate) fn held(family: &str, name: &str, constraint: &Constraint, array: Array) -> Array {
    let location = here();
    match require(family, name, constraint, &array, location) {
        Err(error) => Array::invalid(error, location),
        Ok(()) => array,
    }
}

/// The parameters of a family that is not declared, by name, each with its constraint: as they are
/// where they satisfy them and `fits` gives their common batch shape; else all invalid.
#[track_caller]
pub(super) fn fitted<const N: usize>(
    family: &str,
    parameters: [(&str, Constraint, Array); N],
    help: &str,
    fits: impl FnOnce([&[usize]; N]) -> Option<Shape>,
) -> [Array; N] {
    let location = here();
    let error = parameters.iter().find_map(|(_, _, array)| array.error().cloned()).or_else(|| {
        if fits(parameters.each_ref().map(|(_, _, array)| array.shape())).is_some() {
            return parameters.iter().find_map(|(name, constraint, array)| {
                require(family, name, constraint, array, location).err()
            });
        }
        let list = parameters
            .each_ref()
            .map(|(name, _, array)| format!("{name} {}", ShapeDisplay(array.shape())));
        let (last, first) = list.split_last().map_or(("", &[][..]), |(l, f)| (l.as_str(), f));
        let list = format!("{} and {last}", first.join(", "));
        let message = format!("the {list} of a {family} do not fit");
        let mut error = Error::new(ErrorKind::Shape, message).at(location).help(help);
        for (name, _, array) in &parameters {
            error = error.note(format!("{name} was made"), Some(array.location()));
        }
        Some(error)
    });
    parameters.map(|(_, _, array)| match &error {
        None => array,
        Some(error) => Array::invalid(error.clone(), location),
    })
}

/// The common batch shape of parameters with events of these ranks.
pub(super) fn common<const N: usize>(parts: [(&[usize], usize); N]) -> Option<Shape> {
    parts.into_iter().try_fold(Shape::new(), |common, (shape, rank)| {
        broadcast_shapes(&common, &shape[..shape.len().checked_sub(rank)?])
    })
}
