//! Prefixes under an associative function, in a number of passes that grows with the logarithm of
//! the extent (Blelloch, "Prefix sums and their applications", 1990).

use crate::array::shape::join::concat;
use crate::context::{here, with_location};
use crate::control::checks::leaf_name;
use crate::error::{Error, ErrorKind, Result};
use crate::flat::Flat;
use crate::handle::Array;
use crate::op::Op;
use crate::tracing::bind1;
use crate::tree::{Structure, Tree};
use crate::types::{Loc, Shape};

/// The running results `x0, op(x0, x1), op(op(x0, x1), x2), ..` along an axis of all leaves, from
/// the end if `reverse`. `op` must be associative; it combines whole arrays entry by entry along
/// the axis, of any extent, and gives the structure and types that it takes.
///
/// ```
/// use probpipe_trace::{array, associative_scan};
/// // Affine maps x -> a x + b, composed.
/// let maps = (array([2.0, 3.0, 4.0]), array([1.0, 1.0, 1.0]));
/// let compose = |(a, b), (c, d)| (&a * &c, b * c + d);
/// let (a, b) = associative_scan(compose, maps, 0, false);
/// assert_eq!(a.to_vec::<f32>()?, [2.0, 6.0, 24.0]);
/// assert_eq!(b.to_vec::<f32>()?, [1.0, 4.0, 17.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn associative_scan<T: Tree>(
    mut op: impl FnMut(T, T) -> T,
    xs: T,
    axis: isize,
    reverse: bool,
) -> T {
    let location = here();
    let op = &mut |a: Flat, b: Flat| {
        let structure = a.structure.clone();
        let pair = a.tree(location).and_then(|a| Ok((a, b.tree(location)?)));
        match pair {
            Ok((a, b)) => Flat::of(&op(a, b)),
            Err(error) => Flat::invalid(&structure, &error, location),
        }
    };
    run(location, op, Flat::of(&xs), axis, reverse).put_in(xs, location)
}

/// The function on trees taken apart.
type Combine<'a> = &'a mut dyn FnMut(Flat, Flat) -> Flat;

fn run(location: Loc, op: Combine<'_>, xs: Flat, axis: isize, reverse: bool) -> Flat {
    let result = with_location(location, || {
        let axes = along(&xs.leaves, axis)?;
        let flip = |leaves: Vec<Array>| -> Vec<Array> {
            let turn = |(x, a): (Array, &usize)| if reverse { x.flip(*a as isize) } else { x };
            leaves.into_iter().zip(&axes).map(turn).collect()
        };
        let leaves = flip(xs.leaves.clone());
        let combine = &mut |a: Vec<Array>, b: Vec<Array>| combine(&xs.structure, op, a, b);
        Ok(flip(prefixes(combine, leaves, &axes)?))
    });
    match result {
        Ok(leaves) => Flat::new(xs.structure, leaves, location),
        Err(error) => xs.spoiled(&error, location),
    }
}

/// The axis in every leaf; all have one extent there.
fn along(leaves: &[Array], axis: isize) -> Result<Vec<usize>> {
    let mut extent: Option<usize> = None;
    let place = |x: &Array| {
        let ty = x.ty()?;
        let rank = ty.rank() as isize;
        let at = if axis < 0 { axis + rank } else { axis };
        let bad = |kind, message: String| {
            Err(Error::new(kind, message)
                .note(format!("operand {ty}"), Some(x.location))
                .help("scan along an axis that all leaves have with one extent"))
        };
        if at < 0 || at >= rank {
            let message = format!("`associative_scan` along axis {axis} does not fit {ty}");
            return bad(ErrorKind::Axis, message);
        }
        let n = ty.shape[at as usize];
        if *extent.get_or_insert(n) != n {
            let message = format!("`associative_scan` over leaves of different extents, one {n}");
            return bad(ErrorKind::Shape, message);
        }
        Ok(at as usize)
    };
    leaves.iter().map(place).collect()
}

fn combine(
    structure: &Structure,
    op: Combine<'_>,
    a: Vec<Array>,
    b: Vec<Array>,
) -> Result<Vec<Array>> {
    let before: Vec<_> = a.iter().map(Array::ty).collect::<Result<_>>()?;
    let open: Vec<bool> = a.iter().map(Array::is_weak_float).collect();
    let flat = |leaves| Flat { leaves, structure: structure.clone() };
    let Flat { leaves, structure: after } = op(flat(a), flat(b));
    if after != *structure {
        let message = "`associative_scan` with a function that changes the structure";
        return Err(Error::new(ErrorKind::Tree, message).help("give back the tree that is taken"));
    }
    for (i, (want, leaf)) in before.iter().zip(&leaves).enumerate() {
        let have = leaf.ty()?;
        // What has no type yet may take one.
        let fits = if leaf.is_weak() || open[i] { have.shape == want.shape } else { have == *want };
        if !fits {
            let name = leaf_name(structure, i);
            let message = format!("`associative_scan` of{name} {want} gives {have}");
            return Err(Error::new(ErrorKind::Shape, message)
                .note("it comes", Some(leaf.location))
                .help("the function works entry by entry and keeps types"));
        }
    }
    Ok(leaves)
}

/// Neighbours are combined in pairs, the prefixes of the pairs are those at odd places, and one
/// more step gives those at even ones.
fn prefixes(
    op: &mut dyn FnMut(Vec<Array>, Vec<Array>) -> Result<Vec<Array>>,
    xs: Vec<Array>,
    axes: &[usize],
) -> Result<Vec<Array>> {
    let n = match (xs.first(), axes.first()) {
        (Some(x), Some(&axis)) => x.shape()[axis],
        _ => return Ok(xs),
    };
    if n < 2 {
        return Ok(xs);
    }
    let every = |xs: &[Array], from: usize, to: usize, step: usize| -> Vec<Array> {
        xs.iter().zip(axes).map(|(x, &axis)| strided(x, axis, from, to, step)).collect()
    };
    let pairs = op(every(&xs, 0, n - 1, 2), every(&xs, 1, n, 2))?;
    let odd = prefixes(op, pairs, axes)?;
    let inner = (n - 1) / 2;
    let mut even = every(&xs, 0, 1, 1);
    if inner > 0 {
        let rest = op(every(&odd, 0, inner, 1), every(&xs, 2, n, 2))?;
        even = even
            .into_iter()
            .zip(rest)
            .zip(axes)
            .map(|((first, rest), &axis)| concat(&[first, rest], axis as isize))
            .collect();
    }
    let woven = even.iter().zip(&odd).zip(axes).map(|((e, o), &axis)| weave(e, o, axis));
    Ok(woven.collect())
}

fn strided(x: &Array, axis: usize, from: usize, to: usize, step: usize) -> Array {
    let mut start: Shape = smallvec::smallvec![0; x.rank()];
    let mut limit: Shape = x.shape().into();
    let mut stride: Shape = smallvec::smallvec![1; x.rank()];
    (start[axis], limit[axis], stride[axis]) = (from, to, step);
    bind1(Op::Slice { start, limit, stride }, &[x])
}

/// `even[0], odd[0], even[1], ..`; there may be one more of the even ones.
fn weave(even: &Array, odd: &Array, axis: usize) -> Array {
    let n = odd.shape()[axis];
    let place = axis as isize + 1;
    let head = strided(even, axis, 0, n, 1);
    let mut shape: Shape = odd.shape().into();
    shape[axis] = 2 * n;
    let both = [head.expand_dims(place), odd.expand_dims(place)];
    let woven = concat(&both, place).reshape(shape);
    if even.shape()[axis] == n {
        return woven;
    }
    concat(&[woven, strided(even, axis, n, n + 1, 1)], axis as isize)
}
