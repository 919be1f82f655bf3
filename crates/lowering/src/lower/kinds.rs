//! What the variables of a block can be, and how one is read through another: sources, views,
//! computations, and the affine maps between their axes. Which variable is what, is decided in
//! `analyse.rs`.

#![deny(clippy::wildcard_enum_match_arm)]

use super::signed_strides;
use crate::program::{BufferId, IndexMap, LoopId};
use probpipe_trace::{DotAxes, Graph, Op, Scalar, Shape, VarId};
use smallvec::{SmallVec, smallvec};

/// What a variable is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Readable anywhere: memory, a number, an index.
    Source(Source),
    /// The elements of another variable at other places: one entry per axis of the base.
    View { base: VarId, map: SmallVec<[AxisMap; 4]> },
    /// The same memory in row-major order under another shape.
    Alias { base: VarId },
    /// The result of this node.
    Node(usize),
}

/// A value that needs no computation, as an affine function of the variable's axes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    pub(super) what: What,
    pub(super) offset: i64,
    /// One step per axis of the variable.
    pub(super) strides: SmallVec<[i64; 4]>,
    pub(super) loops: SmallVec<[(LoopId, i64); 2]>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum What {
    /// The element of a buffer at the affine index.
    Buffer(BufferId),
    /// The affine index itself.
    Index,
    /// A number; the index does not matter.
    Literal(Scalar),
}

/// One axis of what is read, as an affine function of one axis of the reader.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AxisMap {
    pub(super) axis: Option<usize>,
    pub(super) step: i64,
    pub(super) offset: i64,
}

impl AxisMap {
    pub(super) fn same(axis: usize) -> AxisMap {
        AxisMap { axis: Some(axis), step: 1, offset: 0 }
    }

    pub(super) const ZERO: AxisMap = AxisMap { axis: None, step: 0, offset: 0 };

    fn after(self, outer: &[AxisMap]) -> AxisMap {
        match self.axis {
            None => self,
            Some(axis) => {
                let o = outer[axis];
                AxisMap {
                    axis: o.axis,
                    step: self.step * o.step,
                    offset: self.step * o.offset + self.offset,
                }
            }
        }
    }
}

pub(super) fn identity(rank: usize) -> SmallVec<[AxisMap; 4]> {
    (0..rank).map(AxisMap::same).collect()
}

impl Source {
    /// A whole buffer in row-major order.
    pub(super) fn buffer(buffer: BufferId, shape: &[usize]) -> Source {
        Source {
            what: What::Buffer(buffer),
            offset: 0,
            strides: signed_strides(shape),
            loops: SmallVec::new(),
        }
    }

    pub(super) fn literal(scalar: Scalar, rank: usize) -> Source {
        Source {
            what: What::Literal(scalar),
            offset: 0,
            strides: smallvec![0; rank],
            loops: SmallVec::new(),
        }
    }

    /// The source read through `map`, as a function of `rank` reader axes.
    pub(super) fn through(&self, map: &[AxisMap], rank: usize) -> Source {
        let mut out = Source {
            what: self.what,
            offset: self.offset,
            strides: smallvec![0; rank],
            loops: self.loops.clone(),
        };
        for (m, &stride) in map.iter().zip(&self.strides) {
            out.offset += stride * m.offset;
            if let Some(axis) = m.axis {
                out.strides[axis] += stride * m.step;
            }
        }
        out
    }

    /// The affine index, for statements whose axes are the source's.
    pub(super) fn index(&self) -> IndexMap {
        IndexMap { offset: self.offset, axes: self.strides.clone(), loops: self.loops.clone() }
    }

    /// Whether the elements lie in row-major order without gaps.
    pub(super) fn is_row_major(&self, shape: &[usize]) -> bool {
        matches!(self.what, What::Buffer(_))
            && signed_strides(shape)
                .iter()
                .zip(&self.strides)
                .zip(shape)
                .all(|((want, have), &n)| n <= 1 || want == have)
    }
}

/// A computation.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) eqn: usize,
    pub(super) kind: NodeKind,
    /// The iteration space, before unit axes are dropped. Reductions and contractions: all axes
    /// that are visited.
    pub(super) domain: Shape,
    /// The reduced axes of the domain.
    pub(super) reduced: Shape,
    /// For cheap arithmetic on indices and numbers alone: how many operations it takes. Kernels
    /// compute it anew wherever they read it, so that it ties no kernel to another.
    pub(super) free: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    /// One value per point of the domain, which is the result's shape.
    Point,
    /// A copy of the operand, whose shape is the domain, stored under another shape.
    Relayout,
    /// A reduction of the operand, or a contraction of two.
    Reduce,
    /// A call of dense linear algebra.
    Library,
    /// Padding or joining that is written piece by piece.
    Pieces,
    /// A loop or a branch.
    Control,
}

impl Node {
    /// What the node reads: variables, and for each of their axes which element, as a function
    /// of the domain. Whole-array nodes read through the identity.
    pub(super) fn reads(&self, graph: &Graph) -> Vec<(VarId, SmallVec<[AxisMap; 4]>)> {
        let eqn = &graph.eqns()[self.eqn];
        let whole = |v: VarId| (v, identity(graph.ty(v).rank()));
        if matches!(self.kind, NodeKind::Library | NodeKind::Pieces | NodeKind::Control) {
            return eqn.inputs.iter().map(|&v| whole(v)).collect();
        }
        match &eqn.op {
            Op::Dot(axes) => {
                let (lhs, rhs) = (eqn.inputs[0], eqn.inputs[1]);
                let (lmap, rmap, _) = dot_maps(axes, graph.ty(lhs).rank(), graph.ty(rhs).rank());
                vec![(lhs, lmap), (rhs, rmap)]
            }
            Op::Pad { low, .. } => {
                let x = eqn.inputs[0];
                let map = low.iter().enumerate().map(|(a, &l)| shifted(a, -(l as i64))).collect();
                vec![(x, map), (eqn.inputs[1], SmallVec::new())]
            }
            Op::Gather { .. } => gather_reads(graph, &eqn.inputs),
            Op::Concat { axis } => {
                let mut at = 0;
                eqn.inputs
                    .iter()
                    .map(|&v| {
                        let mut map = identity(graph.ty(v).rank());
                        map[*axis].offset = -at;
                        at += graph.ty(v).shape[*axis] as i64;
                        (v, map)
                    })
                    .collect()
            }
            Op::Unary(_)
            | Op::Binary(_)
            | Op::Compare(_)
            | Op::Select
            | Op::Cast(_)
            | Op::Bitcast(_)
            | Op::Special(_)
            | Op::Threefry2x32
            | Op::Reduce { .. }
            | Op::Broadcast { .. }
            | Op::Reshape { .. }
            | Op::Transpose { .. }
            | Op::Slice { .. }
            | Op::Reverse { .. }
            | Op::Iota { .. }
            | Op::Scatter { .. }
            | Op::Cumulative { .. }
            | Op::Sort { .. }
            | Op::Linalg(_)
            | Op::Call { .. }
            | Op::Scan(_)
            | Op::Checkpoint { .. }
            | Op::Custom(_)
            | Op::Callback(_)
            | Op::Switch(_)
            | Op::While(_) => eqn.inputs.iter().map(|&v| whole(v)).collect(),
        }
    }
}

fn shifted(axis: usize, offset: i64) -> AxisMap {
    AxisMap { axis: Some(axis), step: 1, offset }
}

/// What a gather reads, over the domain of its result: the array at a place that no affine map
/// says, and the indices along the leading axes.
fn gather_reads(graph: &Graph, inputs: &[VarId]) -> Vec<(VarId, SmallVec<[AxisMap; 4]>)> {
    inputs
        .iter()
        .enumerate()
        .map(|(i, &v)| {
            let rank = graph.ty(v).rank();
            let map = if i == 0 { smallvec![AxisMap::ZERO; rank] } else { identity(rank) };
            (v, map)
        })
        .collect()
}

/// The operands' axes of a contraction over the domain (batch, left free, right free,
/// contracted), and the number of parallel axes.
pub(super) fn dot_maps(
    axes: &DotAxes,
    lhs_rank: usize,
    rhs_rank: usize,
) -> (SmallVec<[AxisMap; 4]>, SmallVec<[AxisMap; 4]>, usize) {
    let free = |rank: usize, contract: &[usize], batch: &[usize]| -> Vec<usize> {
        (0..rank).filter(|a| !contract.contains(a) && !batch.contains(a)).collect()
    };
    let lhs_free = free(lhs_rank, &axes.lhs_contract, &axes.lhs_batch);
    let rhs_free = free(rhs_rank, &axes.rhs_contract, &axes.rhs_batch);
    let batch = axes.lhs_batch.len();
    let parallel = batch + lhs_free.len() + rhs_free.len();
    let build = |rank, own_batch: &[usize], own_free: &[usize], first, contract: &[usize]| {
        let mut map: SmallVec<[AxisMap; 4]> = smallvec![AxisMap::ZERO; rank];
        for (i, &a) in own_batch.iter().enumerate() {
            map[a] = AxisMap::same(i);
        }
        for (i, &a) in own_free.iter().enumerate() {
            map[a] = AxisMap::same(first + i);
        }
        for (i, &a) in contract.iter().enumerate() {
            map[a] = AxisMap::same(parallel + i);
        }
        map
    };
    let l = build(lhs_rank, &axes.lhs_batch, &lhs_free, batch, &axes.lhs_contract);
    let r = build(rhs_rank, &axes.rhs_batch, &rhs_free, batch + lhs_free.len(), &axes.rhs_contract);
    (l, r, parallel)
}

/// Follows views from `var` to what holds its elements.
pub(super) fn chase(
    kinds: &[Kind],
    mut var: VarId,
    map: &[AxisMap],
) -> (VarId, SmallVec<[AxisMap; 4]>) {
    let mut map: SmallVec<[AxisMap; 4]> = map.into();
    while let Kind::View { base, map: view } = &kinds[var.index()] {
        map = view.iter().map(|m| m.after(&map)).collect();
        var = *base;
    }
    (var, map)
}

/// The computation that a fused reader of `var` depends on: none if it computes the value anew.
pub(super) fn dependency(
    kinds: &[Kind],
    nodes: &[Node],
    reader: &Node,
    var: VarId,
) -> Option<usize> {
    let fused = matches!(reader.kind, NodeKind::Point | NodeKind::Relayout | NodeKind::Reduce);
    producer(kinds, var).filter(|&n| {
        let direct = matches!(kinds[var.index()], Kind::Node(_));
        !(fused && direct && nodes[n].free.is_some())
    })
}

/// The computation that gives the elements of `var`, which is no view.
pub(super) fn producer(kinds: &[Kind], var: VarId) -> Option<usize> {
    match &kinds[var.index()] {
        Kind::Node(node) => Some(*node),
        Kind::Alias { base } => producer(kinds, *base),
        Kind::Source(_) | Kind::View { .. } => None,
    }
}

/// Whether `node` reads `base` at the very element that it computes, unit axes aside.
pub(super) fn is_identity(graph: &Graph, node: &Node, base: VarId, map: &[AxisMap]) -> bool {
    let shape = &graph.ty(base).shape;
    let domain: SmallVec<[usize; 4]> =
        (0..node.domain.len()).filter(|&a| node.domain[a] != 1).collect();
    let mut next = domain.iter();
    for (m, &n) in map.iter().zip(shape) {
        if n == 1 {
            continue;
        }
        let Some(&axis) = next.next() else { return false };
        if *m != AxisMap::same(axis) || node.domain[axis] != n {
            return false;
        }
    }
    next.next().is_none()
}
