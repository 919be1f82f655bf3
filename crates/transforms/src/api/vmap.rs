//! Mapping a function over axes of its argument.

use super::lift::{Function, failed, leaf_name, lift, poison, run, transform_error};
use crate::simplify::simplify;
use probpipe_trace::{
    Array, ArrayType, Axes, Flat, Graph, Lane, Loc, Op, Result, Structure, Token, Tree, bind,
    bind1, here, through, with_location,
};
use std::collections::{BTreeMap, HashMap};
use std::panic::Location;
use std::sync::Arc;

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
    /// The parts of a map by key, or of a struct by field, whatever their order; all of them.
    Keys(Vec<(String, BatchAxes)>),
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

impl<K: Into<String>, T: Into<BatchAxes>, const N: usize> From<[(K, T); N]> for BatchAxes {
    fn from(parts: [(K, T); N]) -> BatchAxes {
        by_key(parts)
    }
}

impl<K: Into<String>, T: Into<BatchAxes>> From<BTreeMap<K, T>> for BatchAxes {
    fn from(parts: BTreeMap<K, T>) -> BatchAxes {
        by_key(parts)
    }
}

impl<K: Into<String>, T: Into<BatchAxes>> From<HashMap<K, T>> for BatchAxes {
    fn from(parts: HashMap<K, T>) -> BatchAxes {
        by_key(parts)
    }
}

fn by_key<K: Into<String>, T: Into<BatchAxes>>(
    parts: impl IntoIterator<Item = (K, T)>,
) -> BatchAxes {
    BatchAxes::Keys(parts.into_iter().map(|(key, axes)| (key.into(), axes.into())).collect())
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
    /// How many lanes a map over these axes of `x` has.
    ///
    /// ```
    /// use probpipe_trace::{array, zeros};
    /// use probpipe_transforms::BatchAxes;
    /// let axes = BatchAxes::from((1, None));
    /// assert_eq!(axes.lanes(&(zeros([2, 3]), array(1.0)))?, 3);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    ///
    /// # Errors
    /// Axes that do not fit the tree, that an array does not have, or of different sizes; no axis
    /// at all.
    #[track_caller]
    pub fn lanes<A: Tree>(&self, x: &A) -> Result<usize> {
        let flat = Flat::of(x);
        Plan::new(self, &flat.leaves, &flat.structure, here()).map(|plan| plan.size)
    }

    /// The axis of every leaf of a tree; `None` when the parts do not fit it.
    fn leaves(&self, structure: &Structure) -> Option<Vec<Option<isize>>> {
        let mut axes = Vec::new();
        // The spec in force, and the parts that are still to come, at each depth.
        let mut stack: Vec<(&BatchAxes, usize)> = Vec::new();
        fn next<'a>(
            root: &'a BatchAxes,
            stack: &mut [(&'a BatchAxes, usize)],
            name: Option<&str>,
        ) -> Option<&'a BatchAxes> {
            match stack.last_mut() {
                None => Some(root),
                Some((BatchAxes::Parts(parts), index)) => {
                    *index += 1;
                    parts.get(*index - 1)
                }
                Some((BatchAxes::Keys(parts), index)) => {
                    *index += 1;
                    parts.iter().find(|(key, _)| Some(&key[..]) == name).map(|(_, axes)| axes)
                }
                Some((all, _)) => Some(all),
            }
        }
        let mut name: Option<&str> = None;
        for token in structure.tokens() {
            match token {
                Token::Leaf => match next(self, &mut stack, name.take())? {
                    BatchAxes::None => axes.push(None),
                    BatchAxes::Axis(axis) => axes.push(Some(*axis)),
                    BatchAxes::Parts(_) | BatchAxes::Keys(_) => return None,
                },
                Token::Open(_) => {
                    let spec = next(self, &mut stack, name.take())?;
                    stack.push((spec, 0));
                }
                Token::Close => match stack.pop()? {
                    (BatchAxes::Parts(parts), used) if used != parts.len() => return None,
                    (BatchAxes::Keys(parts), used) if used != parts.len() => return None,
                    _ => {}
                },
                Token::Field(field) => name = Some(field),
                Token::Entry(key) => name = Some(key),
                Token::Len(_) | Token::Variant(_) | Token::Static(_) => {}
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
/// axes. `out_axes` of `None` is for results that are the same in all lanes. The parts of a map or
/// struct can have their axes by key:
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::vmap_axes;
/// use std::collections::BTreeMap;
/// let line = |p: BTreeMap<String, Array>| &p["slope"] * 2.0 + &p["level"];
/// let map = |list: [(&str, Array); 2]| list.map(|(key, x)| (key.to_string(), x)).into();
/// let p = map([("slope", array([1.0, 2.0])), ("level", array(0.5))]);
/// let y = vmap_axes(line, [("slope", Some(0)), ("level", None)], 0)(p);
/// assert_eq!(y.to_vec::<f32>()?, [2.5, 4.5]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn vmap_axes<A: Tree, R: Tree>(
    f: impl Fn(A) -> R,
    in_axes: impl Into<BatchAxes>,
    out_axes: impl Into<BatchAxes>,
) -> impl Fn(A) -> R {
    let location = Location::caller();
    let (in_axes, out_axes) = (in_axes.into(), out_axes.into());
    move |x: A| through(location, &f, x, &mut |f, x| map(location, f, &in_axes, &out_axes, x))
}

/// [`vmap_axes`] as written at `location`.
pub(super) fn map(
    location: Loc,
    f: Function<'_>,
    in_axes: &BatchAxes,
    out_axes: &BatchAxes,
    x: Flat,
) -> Flat {
    if let Some(error) = x.error() {
        return poison(&x, f, error, location);
    }
    let mut plan = None;
    let lifted = lift(location, &x, f, &mut |leaves, structure| {
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
            return Flat::invalid(&lifted.output, &error, location);
        }
    };
    let mut axes = plan.axes.clone();
    axes.resize(lifted.operands.len(), None);
    let result = crate::vmap::vmap(&lifted.graph, plan.size, &axes).and_then(|(graph, flags)| {
        let graph = simplify(&graph);
        let arrays = match lane(&lifted.graph, plan.size, &axes, &flags) {
            None => run(location, &graph, &lifted.operands),
            lane => {
                let op = Op::Call { graph: Arc::new(graph), name: "vmap", lane };
                let operands: Vec<&Array> = lifted.operands.iter().collect();
                with_location(location, || bind(op, &operands)).into_vec()
            }
        };
        // What moves the lanes has no line of its own.
        with_location(location, || {
            place(arrays, &flags, out_axes, &lifted.output, plan.size, location)
        })
    });
    match result {
        Ok(arrays) => Flat::new(lifted.output, arrays, location),
        Err(error) => Flat::invalid(&lifted.output, &error, location),
    }
}

/// What each lane computes, if it has loops: devices differ in how they best run those.
fn lane(
    graph: &Graph,
    count: usize,
    axes: &[Option<usize>],
    flags: &[Option<usize>],
) -> Option<Arc<Lane>> {
    let leading = axes.iter().chain(flags).all(|axis| axis.is_none_or(|axis| axis == 0));
    let asks = || graph.has(|op| matches!(op, Op::While(_) | Op::Scan(_)));
    (leading && count > 1 && asks()).then(|| {
        let inputs = axes.iter().map(Option::is_some).collect();
        let outputs = flags.iter().map(Option::is_some).collect();
        Arc::new(Lane { graph: Arc::new(graph.clone()), count, inputs, outputs })
    })
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
                "give one axis for all, a tuple of axes with one entry per part, or one per key",
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
            "give one axis for all, a tuple of axes with one entry per part, or one per key",
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
