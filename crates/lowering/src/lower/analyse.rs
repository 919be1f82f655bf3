//! Decides what each variable of a block is: a source that can be read anywhere, a view of another
//! variable, or the result of a computation.

#![deny(clippy::wildcard_enum_match_arm)]

use super::kinds::{AxisMap, Kind, Node, NodeKind, Source, What, chase, identity};
use super::{Context, internal, signed_strides};
use crate::program::Place;
use probpipe_trace::op::{BinaryInstruction, UnaryInstruction};
use probpipe_trace::{BinaryOp, DType, Eqn, Graph, Op, Result, Shape, UnaryOp, VarId};
use smallvec::{SmallVec, smallvec};

/// Most operations that are computed anew.
const FREE: usize = 8;

/// Analyses a block.
pub(super) fn analyse(
    cx: &mut Context,
    graph: &Graph,
    bindings: &[Source],
) -> Result<(Vec<Kind>, Vec<Node>)> {
    let mut kinds: Vec<Kind> = vec![Kind::Node(usize::MAX); graph.num_vars()];
    let mut nodes = Vec::new();
    let pinned = pinned(graph);
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
                    (true, true) => {
                        depth * rows.min(columns) > cx.options.small_matrix
                            && cx.options.library_matmul.is_some_and(|least| work >= least)
                    }
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
            Op::Special(_) if cx.options.special_inline => {
                Kind::Node(node(NodeKind::Point, shape(out).clone(), Shape::new()))
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

/// The variables that are read at computed indices, directly or through views: these must be in
/// memory, however cheap they are to compute anew.
fn pinned(graph: &Graph) -> Vec<bool> {
    let mut pinned = vec![false; graph.num_vars()];
    for eqn in graph.eqns().iter().rev() {
        let passes_on = match &eqn.op {
            Op::Gather { .. } => true,
            Op::Broadcast { .. }
            | Op::Reshape { .. }
            | Op::Transpose { .. }
            | Op::Slice { .. }
            | Op::Reverse { .. }
            | Op::Reduce { .. } => eqn.outputs.iter().any(|v| pinned[v.index()]),
            Op::Unary(_)
            | Op::Binary(_)
            | Op::Compare(_)
            | Op::Select
            | Op::Cast(_)
            | Op::Bitcast(_)
            | Op::Special(_)
            | Op::Threefry2x32
            | Op::Pad { .. }
            | Op::Concat { .. }
            | Op::Iota { .. }
            | Op::Scatter { .. }
            | Op::Cumulative { .. }
            | Op::Sort { .. }
            | Op::Dot(_)
            | Op::Linalg(_)
            | Op::Call { .. }
            | Op::Scan(_)
            | Op::Checkpoint { .. }
            | Op::Custom(_)
            | Op::Callback(_)
            | Op::Switch(_)
            | Op::While(_) => false,
        };
        if passes_on && let Some(x) = eqn.inputs.first() {
            pinned[x.index()] = true;
        }
    }
    pinned
}

/// Whether an equation is cheap arithmetic on indices and numbers.
fn free(kinds: &[Kind], nodes: &[Node], eqn: &Eqn) -> Option<usize> {
    let cheap = match &eqn.op {
        Op::Unary(op) => unary_is_cheap(*op),
        Op::Binary(op) => binary_is_cheap(*op),
        Op::Compare(_) | Op::Select | Op::Cast(_) => true,
        Op::Bitcast(_)
        | Op::Special(_)
        | Op::Threefry2x32
        | Op::Reduce { .. }
        | Op::Broadcast { .. }
        | Op::Reshape { .. }
        | Op::Transpose { .. }
        | Op::Slice { .. }
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::Reverse { .. }
        | Op::Iota { .. }
        | Op::Gather { .. }
        | Op::Scatter { .. }
        | Op::Cumulative { .. }
        | Op::Sort { .. }
        | Op::Dot(_)
        | Op::Linalg(_)
        | Op::Call { .. }
        | Op::Scan(_)
        | Op::Checkpoint { .. }
        | Op::Custom(_)
        | Op::Callback(_)
        | Op::Switch(_)
        | Op::While(_) => false,
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

fn unary_is_cheap(op: UnaryOp) -> bool {
    match op.instruction() {
        Some(UnaryInstruction::Neg | UnaryInstruction::Abs | UnaryInstruction::Not) => true,
        Some(
            UnaryInstruction::Sign
            | UnaryInstruction::Floor
            | UnaryInstruction::Ceil
            | UnaryInstruction::Round
            | UnaryInstruction::Sqrt
            | UnaryInstruction::IsFinite,
        )
        | None => false,
    }
}

fn binary_is_cheap(op: BinaryOp) -> bool {
    match op.instruction() {
        Some(
            BinaryInstruction::Add
            | BinaryInstruction::Sub
            | BinaryInstruction::Mul
            | BinaryInstruction::Max
            | BinaryInstruction::Min
            | BinaryInstruction::And
            | BinaryInstruction::Or
            | BinaryInstruction::Xor
            | BinaryInstruction::Shl
            | BinaryInstruction::Shr,
        ) => true,
        Some(BinaryInstruction::Div | BinaryInstruction::Rem) | None => false,
    }
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
