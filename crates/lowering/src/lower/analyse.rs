//! What each variable of a block is: a source that can be read anywhere, a view of another
//! variable, or the result of a computation; and what each computation reads, at which element.

use super::{Context, indexing, internal, signed_strides};
use crate::program::*;
use probpipe_trace::{BinaryOp, DType, Eqn, Graph, Op, Result, Scalar, Shape, UnaryOp, VarId};
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
#[derive(Clone, Debug)]
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

/// Most operations that are computed anew.
const FREE: usize = 8;

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
            Op::Gather { .. } => indexing::gather_reads(graph, &eqn.inputs),
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
            _ => eqn.inputs.iter().map(|&v| whole(v)).collect(),
        }
    }
}

fn shifted(axis: usize, offset: i64) -> AxisMap {
    AxisMap { axis: Some(axis), step: 1, offset }
}

/// The operands' axes of a contraction over the domain (batch, left free, right free,
/// contracted), and the number of parallel axes.
pub(super) fn dot_maps(
    axes: &probpipe_trace::DotAxes,
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

/// Analyses a block.
pub(super) fn analyse(
    cx: &mut Context,
    graph: &Graph,
    bindings: &[Source],
) -> Result<(Vec<Kind>, Vec<Node>)> {
    let mut kinds: Vec<Kind> = vec![Kind::Node(usize::MAX); graph.num_vars()];
    let mut nodes = Vec::new();
    let pinned = indexing::pinned(graph);
    for (&var, source) in graph.inputs().iter().zip(bindings) {
        kinds[var.index()] = Kind::Source(source.clone());
    }
    for (var, value) in graph.consts() {
        let ty = value.ty();
        let first = if ty.size() == 1 { value.to_scalars()?.first().copied() } else { None };
        kinds[var.index()] = Kind::Source(match first {
            Some(scalar) => Source::literal(scalar, ty.rank()),
            None => {
                let buffer = cx.buffer(ty.clone(), Place::Const(value.clone()));
                Source::buffer(buffer, &ty.shape)
            }
        });
    }
    for (i, eqn) in graph.eqns().iter().enumerate() {
        let Some(&out) = eqn.outputs.first() else { continue };
        let shape = |v: VarId| &graph.ty(v).shape;
        let operands = if matches!(eqn.op, Op::Dot(_)) { &eqn.inputs[..] } else { &[] };
        let held: SmallVec<[bool; 2]> =
            operands.iter().map(|&v| in_memory(&kinds, &nodes, graph, v)).collect();
        let mut node = |kind, domain: Shape, reduced: Shape| {
            nodes.push(Node { eqn: i, kind, domain, reduced, free: None });
            nodes.len() - 1
        };
        let view = |base: VarId, map: SmallVec<[AxisMap; 4]>| Kind::View { base, map };
        let kind = match &eqn.op {
            Op::Unary(_)
            | Op::Binary(_)
            | Op::Compare(_)
            | Op::Select
            | Op::Cast(_)
            | Op::Bitcast(_)
            | Op::Threefry2x32
            | Op::Gather { .. } => {
                Kind::Node(node(NodeKind::Point, shape(out).clone(), Shape::new()))
            }
            Op::Iota { ty, axis } => {
                let mut strides: SmallVec<[i64; 4]> = smallvec![0; ty.rank()];
                strides[*axis] = 1;
                Kind::Source(Source {
                    what: What::Index,
                    offset: 0,
                    strides,
                    loops: SmallVec::new(),
                })
            }
            Op::Reduce { axes, .. } => {
                let x = eqn.inputs[0];
                // Reducing unit axes changes nothing but the shape.
                if axes.iter().all(|&a| shape(x)[a] == 1) {
                    view(x, drop_axes(shape(x).len(), axes))
                } else {
                    Kind::Node(node(NodeKind::Reduce, shape(x).clone(), axes.clone()))
                }
            }
            Op::Broadcast { axes, shape: to } => {
                let x = eqn.inputs[0];
                let map = shape(x)
                    .iter()
                    .zip(axes)
                    .map(|(&n, &a)| if n == to[a] { AxisMap::same(a) } else { AxisMap::ZERO })
                    .collect();
                view(x, map)
            }
            Op::Transpose { permutation } => {
                let mut map = identity(permutation.len());
                for (i, &p) in permutation.iter().enumerate() {
                    map[p] = AxisMap::same(i);
                }
                view(eqn.inputs[0], map)
            }
            Op::Slice { start, stride, .. } => {
                let map = (0..start.len())
                    .map(|a| AxisMap {
                        axis: Some(a),
                        step: stride[a] as i64,
                        offset: start[a] as i64,
                    })
                    .collect();
                view(eqn.inputs[0], map)
            }
            Op::Reverse { axes } => {
                let x = eqn.inputs[0];
                let mut map = identity(shape(x).len());
                for &a in axes {
                    map[a] = AxisMap { axis: Some(a), step: -1, offset: shape(x)[a] as i64 - 1 };
                }
                view(x, map)
            }
            Op::Reshape { shape: to } => {
                let x = eqn.inputs[0];
                match unit_reshape(shape(x), to) {
                    Some(map) => view(x, map),
                    None if lies_in_order(&kinds, graph, x) => Kind::Alias { base: x },
                    None => Kind::Node(node(NodeKind::Relayout, shape(x).clone(), Shape::new())),
                }
            }
            Op::Pad { interior, .. } => {
                let small = graph.ty(out).size() <= cx.options.guarded;
                let kind = if small && interior.iter().all(|&n| n == 0) {
                    NodeKind::Point
                } else {
                    NodeKind::Pieces
                };
                Kind::Node(node(kind, shape(out).clone(), Shape::new()))
            }
            Op::Concat { .. } => {
                let small = graph.ty(out).size() <= cx.options.guarded;
                let kind = if small { NodeKind::Point } else { NodeKind::Pieces };
                Kind::Node(node(kind, shape(out).clone(), Shape::new()))
            }
            Op::Dot(axes) => {
                let (lhs, rhs) = (graph.ty(eqn.inputs[0]), graph.ty(eqn.inputs[1]));
                let out_ty = graph.ty(out);
                let depth: usize = axes.lhs_contract.iter().map(|&a| lhs.shape[a]).product();
                let rows: usize = free_size(&lhs.shape, &axes.lhs_contract, &axes.lhs_batch);
                let columns: usize = free_size(&rhs.shape, &axes.rhs_contract, &axes.rhs_batch);
                let work = out_ty.size() * depth;
                let large = match (rows > 1, columns > 1) {
                    (true, true) => cx.options.library_matmul.is_some_and(|least| work >= least),
                    (false, false) => false,
                    (tall, _) => {
                        depth > 1
                            && held[usize::from(!tall)]
                            && cx.options.library_matvec.is_some_and(|least| work >= least)
                    }
                };
                if large && matches!(out_ty.dtype, DType::F32 | DType::F64) {
                    Kind::Node(node(NodeKind::Library, out_ty.shape.clone(), Shape::new()))
                } else {
                    let mut domain = out_ty.shape.clone();
                    let first = domain.len();
                    domain.extend(axes.lhs_contract.iter().map(|&a| lhs.shape[a]));
                    let reduced = (first..domain.len()).collect();
                    Kind::Node(node(NodeKind::Reduce, domain, reduced))
                }
            }
            Op::Scatter { .. }
            | Op::Cumulative { .. }
            | Op::Sort { .. }
            | Op::Special(_)
            | Op::Callback(_)
            | Op::Linalg(_) => {
                Kind::Node(node(NodeKind::Library, shape(out).clone(), Shape::new()))
            }
            Op::Scan(_) | Op::Switch(_) | Op::While(_) => {
                Kind::Node(node(NodeKind::Control, Shape::new(), Shape::new()))
            }
            Op::Call { .. } | Op::Checkpoint { .. } | Op::Custom(_) => {
                return Err(internal("a call was not flattened"));
            }
        };
        if let Kind::Node(n) = kind
            && !pinned[out.index()]
        {
            nodes[n].free = free(&kinds, &nodes, eqn);
        }
        for &var in &eqn.outputs {
            kinds[var.index()] = kind.clone();
        }
    }
    resolve_aliases(graph, &mut kinds);
    Ok((kinds, nodes))
}

/// Whether an equation is cheap arithmetic on indices and numbers.
fn free(kinds: &[Kind], nodes: &[Node], eqn: &Eqn) -> Option<usize> {
    let cheap = match &eqn.op {
        Op::Unary(op) => matches!(op, UnaryOp::Neg | UnaryOp::Abs | UnaryOp::Not),
        Op::Binary(op) => {
            op.instruction().is_some() && !matches!(op, BinaryOp::Div | BinaryOp::Rem)
        }
        Op::Compare(_) | Op::Select | Op::Cast(_) => true,
        _ => false,
    };
    let mut count = 1;
    for &input in &eqn.inputs {
        let mut base = input;
        while let Kind::View { base: next, .. } = kinds[base.index()] {
            base = next;
        }
        count += match &kinds[base.index()] {
            Kind::Source(Source { what: What::Index | What::Literal(_), .. }) => 0,
            &Kind::Node(n) => nodes[n].free?,
            Kind::Source(_) | Kind::View { .. } | Kind::Alias { .. } => return None,
        };
    }
    (cheap && count <= FREE).then_some(count)
}

/// Whether every element of the variable has a place of its own in memory, or will have: it is not
/// elementwise work that a kernel which reads it can take in.
fn in_memory(kinds: &[Kind], nodes: &[Node], graph: &Graph, var: VarId) -> bool {
    let shape = &graph.ty(var).shape;
    let (base, map) = chase(kinds, var, &identity(shape.len()));
    let repeats = |a: usize| shape[a] > 1 && !map.iter().any(|m| m.axis == Some(a));
    match &kinds[base.index()] {
        Kind::Source(source) => {
            let strides = source.through(&map, shape.len()).strides;
            let repeats = shape.iter().zip(&strides).any(|(&n, &step)| n > 1 && step == 0);
            matches!(source.what, What::Buffer(_)) && !repeats
        }
        Kind::Node(n) => nodes[*n].kind != NodeKind::Point && !(0..shape.len()).any(repeats),
        Kind::Alias { .. } => !(0..shape.len()).any(repeats),
        Kind::View { .. } => false,
    }
}

fn free_size(shape: &[usize], contract: &[usize], batch: &[usize]) -> usize {
    (0..shape.len())
        .filter(|a| !contract.contains(a) && !batch.contains(a))
        .map(|a| shape[a])
        .product()
}

/// The view that drops `axes` (all of extent 1) of a variable of `rank` axes.
fn drop_axes(rank: usize, axes: &[usize]) -> SmallVec<[AxisMap; 4]> {
    let mut next = 0;
    (0..rank)
        .map(|a| {
            if axes.contains(&a) {
                AxisMap::ZERO
            } else {
                next += 1;
                AxisMap::same(next - 1)
            }
        })
        .collect()
}

/// A reshape that only adds and drops unit axes, as a view.
fn unit_reshape(from: &[usize], to: &[usize]) -> Option<SmallVec<[AxisMap; 4]>> {
    let mut targets = (0..to.len()).filter(|&a| to[a] != 1);
    let map = from
        .iter()
        .map(|&n| match n {
            1 => Some(AxisMap::ZERO),
            _ => targets.next().filter(|&a| to[a] == n).map(AxisMap::same),
        })
        .collect::<Option<_>>()?;
    targets.next().is_none().then_some(map)
}

/// Whether the variable will lie in row-major order in memory.
fn lies_in_order(kinds: &[Kind], graph: &Graph, var: VarId) -> bool {
    match &kinds[var.index()] {
        Kind::Node(_) => true,
        Kind::Alias { .. } => true,
        Kind::Source(source) => source.is_row_major(&graph.ty(var).shape),
        Kind::View { .. } => false,
    }
}

/// Aliases of sources become sources of their own shape; those of computed variables stay.
fn resolve_aliases(graph: &Graph, kinds: &mut [Kind]) {
    for i in 0..kinds.len() {
        let Kind::Alias { mut base } = kinds[i] else { continue };
        while let Kind::Alias { base: next } = kinds[base.index()] {
            base = next;
        }
        kinds[i] = Kind::Alias { base };
        if let Kind::Source(source) = &kinds[base.index()] {
            let mut source = source.clone();
            source.strides = signed_strides(&graph.ty(VarId(i as u32)).shape);
            kinds[i] = Kind::Source(source);
        }
    }
}
