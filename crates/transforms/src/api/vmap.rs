//! Mapping a function over axes of its argument.

use super::lift::{build, failed, invalid, leaf_name, lift, poison, run, transform_error};
use crate::simplify::simplify;
use probpipe_trace::{
    Array, ArrayType, Axes, Loc, Op, Result, Structure, Token, Tree, bind1, with_location,
};
use std::panic::Location;

/// Which axis of each leaf is mapped: one for a whole tree, or one for each of its parts. A prefix
/// of the tree: `(0, None)` maps all leaves of the first part of a pair over their leading axes
/// and none of the second. Negative axes count from the last.
#[derive(Clone, Debug, PartialEq)]
pub enum BatchAxes {
    /// The same in every lane.
    None,
    /// This axis, of every leaf below.
    Axis(isize),
    /// The parts of a tuple, struct or sequence, in order.
    Parts(Vec<BatchAxes>),
}

impl From<i32> for BatchAxes {
    fn from(axis: i32) -> BatchAxes {
        BatchAxes::Axis(axis as isize)
    }
}

impl From<isize> for BatchAxes {
    fn from(axis: isize) -> BatchAxes {
        BatchAxes::Axis(axis)
    }
}

impl From<()> for BatchAxes {
    fn from((): ()) -> BatchAxes {
        BatchAxes::None
    }
}

impl From<Option<i32>> for BatchAxes {
    fn from(axis: Option<i32>) -> BatchAxes {
        axis.map_or(BatchAxes::None, BatchAxes::from)
    }
}

impl<T: Into<BatchAxes>> From<Vec<T>> for BatchAxes {
    fn from(parts: Vec<T>) -> BatchAxes {
        BatchAxes::Parts(parts.into_iter().map(Into::into).collect())
    }
}

macro_rules! tuples {
    ($(($($T:ident $index:tt),+))*) => {$(
        impl<$($T: Into<BatchAxes>),+> From<($($T,)+)> for BatchAxes {
            fn from(parts: ($($T,)+)) -> BatchAxes {
                BatchAxes::Parts(vec![$(parts.$index.into()),+])
            }
        }
    )*};
}
tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}

impl BatchAxes {
    /// The axis of every leaf of a tree; `None` when the parts do not fit it.
    fn leaves(&self, structure: &Structure) -> Option<Vec<Option<isize>>> {
        let mut axes = Vec::new();
        // The spec in force, and the parts that are still to come, at each depth.
        let mut stack: Vec<(&BatchAxes, usize)> = Vec::new();
        fn next<'a>(
            root: &'a BatchAxes,
            stack: &mut [(&'a BatchAxes, usize)],
        ) -> Option<&'a BatchAxes> {
            match stack.last_mut() {
                None => Some(root),
                Some((BatchAxes::Parts(parts), index)) => {
                    *index += 1;
                    parts.get(*index - 1)
                }
                Some((all, _)) => Some(all),
            }
        }
        for token in structure.tokens() {
            match token {
                Token::Leaf => match next(self, &mut stack)? {
                    BatchAxes::None => axes.push(None),
                    BatchAxes::Axis(axis) => axes.push(Some(*axis)),
                    BatchAxes::Parts(_) => return None,
                },
                Token::Open(_) => {
                    let spec = next(self, &mut stack)?;
                    stack.push((spec, 0));
                }
                Token::Close => match stack.pop()? {
                    (BatchAxes::Parts(parts), used) if used != parts.len() => return None,
                    _ => {}
                },
                Token::Field(_)
                | Token::Entry(_)
                | Token::Len(_)
                | Token::Variant(_)
                | Token::Static(_) => {}
            }
        }
        Some(axes)
    }
}

/// Maps a function over the leading axis of every leaf of its argument; results are stacked along
/// a new leading axis.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::vmap;
/// let norms = vmap(|row: Array| row.square().sum())(array([[1.0, 2.0], [3.0, 4.0]]));
/// assert_eq!(norms.to_vec::<f32>()?, [5.0, 25.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
#[doc(alias = "vectorize")]
pub fn vmap<A: Tree, R: Tree>(f: impl Fn(A) -> R) -> impl Fn(A) -> R {
    vmap_axes(f, 0, 0)
}

/// Maps a function over the given axes of its argument's leaves, stacking results along the given
/// axes. `out_axes` of `None` is for results that are the same in all lanes.
#[track_caller]
pub fn vmap_axes<A: Tree, R: Tree>(
    f: impl Fn(A) -> R,
    in_axes: impl Into<BatchAxes>,
    out_axes: impl Into<BatchAxes>,
) -> impl Fn(A) -> R {
    let location = Location::caller();
    let (in_axes, out_axes) = (in_axes.into(), out_axes.into());
    move |x| map(location, &f, &in_axes, &out_axes, x)
}

/// [`vmap_axes`] as written at `location`.
pub(super) fn map<A: Tree, R: Tree>(
    location: Loc,
    f: &impl Fn(A) -> R,
    in_axes: &BatchAxes,
    out_axes: &BatchAxes,
    x: A,
) -> R {
    if let Some(error) = x.leaves().iter().find_map(|a| a.error().cloned()) {
        return poison(&x, f, &error, location);
    }
    let mut plan = None;
    let lifted = lift(location, &x, f, |leaves, structure| {
        let found = Plan::new(in_axes, leaves, structure, location)?;
        let types = found.lane_types(leaves)?;
        plan = Some(found);
        Ok(types)
    });
    let (lifted, plan) = match (lifted, plan) {
        (Ok(lifted), Some(plan)) => (lifted, plan),
        (Err(failure), _) => return failed(&x, f, &failure, location),
        (Ok(lifted), None) => {
            let error = crate::extract::internal("a map without a plan");
            return invalid(&lifted.output, &error, location);
        }
    };
    let mut axes = plan.axes.clone();
    axes.resize(lifted.operands.len(), None);
    let result = crate::vmap::vmap(&lifted.graph, plan.size, &axes).and_then(|(graph, flags)| {
        let arrays = run(location, &simplify(&graph), &lifted.operands);
        // What moves the lanes has no line of its own.
        with_location(location, || {
            place(arrays, &flags, out_axes, &lifted.output, plan.size, location)
        })
    });
    match result {
        Ok(arrays) => build(&lifted.output, arrays, location),
        Err(error) => invalid(&lifted.output, &error, location),
    }
}

/// The axis of every leaf, and the number of lanes.
struct Plan {
    axes: Vec<Option<usize>>,
    size: usize,
}

impl Plan {
    fn new(
        spec: &BatchAxes,
        leaves: &[Array],
        structure: &Structure,
        location: Loc,
    ) -> Result<Plan> {
        let Some(axes) = spec.leaves(structure) else {
            return Err(transform_error(
                location,
                "`vmap` axes do not fit the argument's structure".to_string(),
                "give one axis for all, or a tuple of axes with one entry per part",
            ));
        };
        let mut resolved = Vec::with_capacity(leaves.len());
        let mut size: Option<(usize, usize)> = None;
        for (i, (leaf, axis)) in leaves.iter().zip(axes).enumerate() {
            let Some(axis) = axis else {
                resolved.push(None);
                continue;
            };
            let ty = leaf.ty()?;
            let rank = ty.rank() as isize;
            let from_start = if axis < 0 { axis + rank } else { axis };
            if !(0..rank).contains(&from_start) {
                return Err(transform_error(
                    location,
                    format!(
                        "`vmap` maps axis {axis} of {}, which is {ty}",
                        leaf_name(structure, i)
                    ),
                    "map an axis that the array has, or `None` to use it whole in every lane",
                )
                .note(format!("operand {ty}"), Some(leaf.location())));
            }
            let n = ty.shape[from_start as usize];
            match size {
                Some((first, m)) if m != n => {
                    return Err(transform_error(
                        location,
                        format!(
                            "`vmap` maps axes of different sizes: {m} of {} and {n} of {}",
                            leaf_name(structure, first),
                            leaf_name(structure, i)
                        ),
                        "mapped axes must have equal sizes",
                    )
                    .note(
                        format!("operand {}", leaves[first].ty()?),
                        Some(leaves[first].location()),
                    )
                    .note(format!("operand {ty}"), Some(leaf.location())));
                }
                Some(_) => {}
                None => size = Some((i, n)),
            }
            resolved.push(Some(from_start as usize));
        }
        match size {
            Some((_, size)) => Ok(Plan { axes: resolved, size }),
            None => Err(transform_error(
                location,
                "`vmap` has no axis to map over".to_string(),
                "map at least one array; what is the same in all lanes can be captured",
            )),
        }
    }

    fn lane_types(&self, leaves: &[Array]) -> Result<Vec<ArrayType>> {
        let lane = |(leaf, axis): (&Array, &Option<usize>)| {
            let mut ty = leaf.ty()?;
            if let Some(axis) = axis {
                ty.shape.remove(*axis);
            }
            Ok(ty)
        };
        leaves.iter().zip(&self.axes).map(lane).collect()
    }
}

/// Moves the lanes of results to where they were asked for.
fn place(
    arrays: Vec<Array>,
    flags: &[Option<usize>],
    spec: &BatchAxes,
    structure: &Structure,
    size: usize,
    location: Loc,
) -> Result<Vec<Array>> {
    let Some(axes) = spec.leaves(structure) else {
        return Err(transform_error(
            location,
            "`vmap` output axes do not fit the result's structure".to_string(),
            "give one axis for all, or a tuple of axes with one entry per part",
        ));
    };
    let one = |((array, lanes), axis): ((Array, &Option<usize>), Option<isize>)| {
        let (spread, axis) = match (lanes, axis) {
            (None, None) => return Ok(array),
            (Some(_), None) => {
                return Err(transform_error(
                    location,
                    "`vmap` result differs between lanes, but its output axis is `None`"
                        .to_string(),
                    "give the axis along which to stack it",
                ));
            }
            (Some(_), Some(axis)) => (array, axis),
            (None, Some(axis)) => {
                let shape = std::iter::once(size).chain(array.shape().iter().copied()).collect();
                let axes: Axes = (1..=array.rank()).collect();
                (bind1(Op::Broadcast { shape, axes }, &[&array]), axis)
            }
        };
        let rank = spread.rank() as isize;
        if !(-rank..rank).contains(&axis) {
            return Err(transform_error(
                location,
                format!("`vmap` cannot stack a result of {} axes along axis {axis}", rank - 1),
                "the axis is one of the stacked result's",
            ));
        }
        Ok(spread.move_axis(0, axis))
    };
    arrays.into_iter().zip(flags).zip(axes).map(one).collect()
}
