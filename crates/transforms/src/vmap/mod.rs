//! Batching: a graph that runs on stacks of inputs at once. What does not depend on a batched
//! input stays as it is and is computed once (so random numbers drawn from an unbatched key are
//! common to all lanes). Inside, the batch axis is the leading one.

#![deny(clippy::wildcard_enum_match_arm)]

mod branch;
mod control;
mod indexing;
mod linalg;
mod opaque;
mod structural;
mod while_loop;

use crate::extract::{Env, internal};
use probpipe_trace::{
    Array, ArrayType, Axes, DType, Eqn, Graph, LinalgOp, Op, Result, Shape, bind, bind1, iota,
    select, trace, with_location,
};
use smallvec::SmallVec;

/// Maps a graph over `size` lanes: along the given axis of each input, `None` where an input is
/// the same for all lanes. Gives the axis of each output: the leading one, or `None` for outputs
/// that are the same for all lanes.
pub fn vmap(
    graph: &Graph,
    size: usize,
    in_axes: &[Option<usize>],
) -> Result<(Graph, Vec<Option<usize>>)> {
    let types: Vec<ArrayType> = graph
        .input_types()
        .zip(in_axes)
        .map(|(ty, axis)| match axis {
            Some(axis) if *axis <= ty.rank() => {
                let mut shape = ty.shape.clone();
                shape.insert(*axis, size);
                Ok(ty.with_shape(shape))
            }
            Some(axis) => Err(internal(format!("batch axis {axis} does not fit {ty}"))),
            None => Ok(ty.clone()),
        })
        .collect::<Result<_>>()?;
    let mut flags = Vec::new();
    let traced = trace(&types, |arguments| {
        let lanes = arguments
            .iter()
            .zip(in_axes)
            .map(|(a, axis)| Lanes {
                array: axis.map_or(a.clone(), |axis| a.move_axis(axis as isize, 0)),
                batched: axis.is_some(),
            })
            .collect();
        let out = vmap_arrays(graph, size, lanes);
        flags = out.iter().map(|lanes| lanes.batched.then_some(0)).collect();
        out.into_iter().map(|lanes| lanes.array).collect()
    })?;
    Ok((traced.graph, flags))
}

/// An array that has one entry per lane along its leading axis, or is the same for all.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    pub(crate) array: Array,
    pub(crate) batched: bool,
}

impl Lanes {
    /// With an entry per lane, repeated where all are the same.
    pub(crate) fn spread(&self, size: usize) -> Array {
        if self.batched {
            return self.array.clone();
        }
        let mut shape: Shape = smallvec::smallvec![size];
        shape.extend_from_slice(self.array.shape());
        let axes: Axes = (1..shape.len()).collect();
        bind1(Op::Broadcast { shape, axes }, &[&self.array])
    }
}

/// Types of arrays of which the flagged ones have lanes.
fn lane_types<'a>(
    types: impl Iterator<Item = &'a ArrayType>,
    flags: &[bool],
    size: usize,
) -> Vec<ArrayType> {
    types
        .zip(flags)
        .map(|(ty, batched)| {
            let mut shape: Shape = ty.shape.clone();
            if *batched {
                shape.insert(0, size);
            }
            ty.with_shape(shape)
        })
        .collect()
}

/// Arrays of which the flagged ones have lanes.
fn lanes(arrays: &[Array], flags: &[bool]) -> Vec<Lanes> {
    let pairs = arrays.iter().zip(flags);
    pairs.map(|(array, batched)| Lanes { array: array.clone(), batched: *batched }).collect()
}

/// `mask[lane] ? x[lane] : y[lane]`, for arrays that all have lanes.
fn choose(mask: &Array, x: &Array, y: &Array) -> Array {
    let op = Op::Broadcast { shape: x.shape().into(), axes: smallvec::smallvec![0] };
    bind1(Op::Select, &[&bind1(op, &[mask]), x, y])
}

/// The first lane in which a mask is true, as an `i32` scalar; the last lane if there is none.
fn first_lane(mask: &Array) -> Array {
    let size = mask.shape()[0];
    let positions = iota(&ArrayType::new(DType::I32, [size]), 0);
    select(mask, positions, size as i32 - 1).min_axes([0])
}

/// Arrays of which the flagged ones have lanes, with the entries of lane `first` in the lanes where
/// `mask` is false. What lanes compute without need they compute on these: so it ends wherever it
/// ends for `first`, and its derivatives exist where they do there.
fn mended(arrays: &[Array], flags: &[bool], mask: &Array, first: &Array) -> Vec<Array> {
    let mend = |(x, batched): (&Array, &bool)| {
        if !batched {
            return x.clone();
        }
        let one = bind1(Op::Gather { batch: 0 }, &[x, first]);
        let op = Op::Broadcast { shape: x.shape().into(), axes: (1..x.rank()).collect() };
        choose(mask, x, &bind1(op, &[&one]))
    };
    arrays.iter().zip(flags).map(mend).collect()
}

/// Results of an equation: all batched, or none.
pub(crate) type LaneOutputs = SmallVec<[Lanes; 2]>;

fn batched(array: Array) -> LaneOutputs {
    smallvec::smallvec![Lanes { array, batched: true }]
}

/// Runs a graph on lanes.
pub(crate) fn vmap_arrays(graph: &Graph, size: usize, lanes: Vec<Lanes>) -> Vec<Lanes> {
    let mut env = Env::new(graph);
    let mut flags = vec![false; graph.num_vars()];
    for (v, lanes) in graph.inputs().iter().zip(lanes) {
        flags[v.index()] = lanes.batched;
        env.set(*v, lanes.array);
    }
    for eqn in graph.eqns() {
        let operands: SmallVec<[Lanes; 3]> = eqn
            .inputs
            .iter()
            .map(|v| Lanes { array: env.get(*v), batched: flags[v.index()] })
            .collect();
        let results = with_location(eqn.location, || {
            if operands.iter().any(|x| x.batched) {
                return eqn_vmap(eqn, size, &operands);
            }
            let arrays: SmallVec<[&Array; 3]> = operands.iter().map(|x| &x.array).collect();
            let results = bind(eqn.op.clone(), &arrays).into_iter();
            results.map(|array| Lanes { array, batched: false }).collect()
        });
        for (v, lanes) in eqn.outputs.iter().zip(results) {
            flags[v.index()] = lanes.batched;
            env.set(*v, lanes.array);
        }
    }
    let outputs = graph.outputs().iter();
    outputs.map(|v| Lanes { array: env.get(*v), batched: flags[v.index()] }).collect()
}

/// One equation of which some operand is batched.
fn eqn_vmap(eqn: &Eqn, size: usize, x: &[Lanes]) -> LaneOutputs {
    let spread = || -> SmallVec<[Array; 4]> { x.iter().map(|x| x.spread(size)).collect() };
    // The same op, lane by lane, on operands that all have lanes.
    let mapped = |op: Op| -> LaneOutputs {
        let arrays = spread();
        let arrays: SmallVec<[&Array; 4]> = arrays.iter().collect();
        bind(op, &arrays).into_iter().map(|array| Lanes { array, batched: true }).collect()
    };
    let shifted = |axes: &[usize]| -> Axes { axes.iter().map(|a| a + 1).collect() };
    let led = |first: usize, rest: &[usize]| -> Shape {
        std::iter::once(first).chain(rest.iter().copied()).collect()
    };
    match &eqn.op {
        Op::Unary(_)
        | Op::Binary(_)
        | Op::Compare(_)
        | Op::Special(_)
        | Op::Select
        | Op::Cast(_)
        | Op::Bitcast(_)
        | Op::Threefry2x32 => mapped(eqn.op.clone()),
        Op::Reduce { op, axes } => mapped(Op::Reduce { op: *op, axes: shifted(axes) }),
        Op::Broadcast { shape, axes } => {
            let axes = led(0, &shifted(axes));
            mapped(Op::Broadcast { shape: led(size, shape), axes })
        }
        Op::Reshape { shape } => mapped(Op::Reshape { shape: led(size, shape) }),
        Op::Transpose { permutation } => {
            mapped(Op::Transpose { permutation: led(0, &shifted(permutation)) })
        }
        Op::Slice { start, limit, stride } => mapped(Op::Slice {
            start: led(0, start),
            limit: led(size, limit),
            stride: led(1, stride),
        }),
        Op::Pad { low, high, interior } => batched(structural::pad_vmap(
            Op::Pad { low: led(0, low), high: led(0, high), interior: led(0, interior) },
            Op::Pad { low: low.clone(), high: high.clone(), interior: interior.clone() },
            size,
            x,
        )),
        Op::Concat { axis } => mapped(Op::Concat { axis: axis + 1 }),
        Op::Reverse { axes } => mapped(Op::Reverse { axes: shifted(axes) }),
        // It has no operands, so it is never batched.
        Op::Iota { .. } => mapped(eqn.op.clone()),
        Op::Gather { batch } => batched(indexing::gather_vmap(*batch, size, x)),
        Op::Scatter { op, batch } => batched(indexing::scatter_vmap(*op, *batch, size, x)),
        Op::Cumulative { op, axis, reverse } => {
            mapped(Op::Cumulative { op: *op, axis: axis + 1, reverse: *reverse })
        }
        Op::Sort { axis, num_keys } => mapped(Op::Sort { axis: axis + 1, num_keys: *num_keys }),
        Op::Dot(axes) => batched(linalg::dot_vmap(axes, x)),
        Op::Linalg(
            LinalgOp::Cholesky
            | LinalgOp::Lu
            | LinalgOp::LuDet
            | LinalgOp::Qr { .. }
            | LinalgOp::Eigh { .. }
            | LinalgOp::Svd { .. },
        ) => mapped(eqn.op.clone()),
        Op::Linalg(LinalgOp::TriangularSolve { .. } | LinalgOp::LuSolve { .. }) => {
            batched(linalg::solve_vmap(&eqn.op, size, x))
        }
        Op::Call { graph, .. } => vmap_arrays(graph, size, x.to_vec()).into(),
        Op::Scan(scan) => control::scan_vmap(scan, size, x),
        Op::Checkpoint { graph } => opaque::checkpoint_vmap(graph, size, x),
        Op::Custom(custom) => opaque::custom_vmap(custom, size, x),
        Op::Callback(callback) => opaque::callback_vmap(callback, size, x),
        Op::Switch(switch) => branch::switch_vmap(switch, size, x),
        Op::While(w) => while_loop::while_vmap(w, size, x),
    }
}
