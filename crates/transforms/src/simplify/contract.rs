//! What [`Rounding::Contracted`](probpipe_trace::Rounding::Contracted) allows and other rules do
//! not: quotients as products with a reciprocal that serves several, and what is the same for all
//! summands taken out of their sum. Nothing is done here where it is not in force; that products
//! and sums become one operation is the work of the lowering.

use super::arena::{Arena, Node, Rule};
use super::elementwise::{binary_op, unary_def};
use super::structural::broadcast_def;
use crate::extract::internal;
use crate::partial_eval::known_vars;
use probpipe_trace::{
    Axes, BinaryOp, DType, Eqn, Graph, GraphBuilder, Loc, Op, ReduceOp, Result, Scalar, UnaryOp,
    Value, VarId,
};

pub(super) const BINARY: &[Rule] =
    &[Rule { name: "quotient by a reciprocal", apply: quotient_by_reciprocal }];
pub(super) const REDUCE: &[Rule] = &[
    Rule { name: "factor of a factor out of sum", apply: factor_of_product },
    Rule { name: "summand out of sum", apply: summand_of_sum },
];

const MUL: Op = Op::Binary(BinaryOp::Mul);
const DIV: Op = Op::Binary(BinaryOp::Div);

/// x / y = x (1 / y) where y repeats fewer numbers or is known, or where 1 / y is there already.
fn quotient_by_reciprocal(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (BinaryOp::Div, x, y) = binary_op(node)? else { return None };
    if !a.simplifier.contracts() || !a.ty(y).dtype.is_float() || a.is(x, 1.0) || a.is(x, -1.0) {
        return None;
    }
    let location = node.location;
    let reciprocal = match (broadcast_def(a, y), a.splat(y)) {
        (Some((few, axes)), _) => {
            let one = a.full(Scalar::Float(1.0), &a.ty(few).clone(), location);
            let reciprocal = a.emit1(&DIV, &[one, few], location);
            a.broadcast(reciprocal, a.shape(y).into(), axes, location)
        }
        (None, known) => {
            let one = a.full(Scalar::Float(1.0), &a.ty(y).clone(), location);
            match known {
                Some(_) => a.emit1(&DIV, &[one, y], location),
                None => a.find(&DIV, &[one, y])?,
            }
        }
    };
    Some(a.emit1(&MUL, &[x, reciprocal], location))
}

/// The sum at hand: of what, and along which axes.
fn sum<'n>(a: &Arena<'_>, node: &'n Node<'_>) -> Option<(VarId, &'n Axes)> {
    let Op::Reduce { op: ReduceOp::Sum, axes } = node.op else { return None };
    let x = node.inputs[0];
    (a.simplifier.contracts() && a.ty(x).dtype.is_float()).then_some((x, axes))
}

/// Whether all that `axes` add up is one number.
fn is_constant(a: &Arena<'_>, v: VarId, axes: &Axes) -> bool {
    broadcast_def(a, v).is_some_and(|(_, places)| places.iter().all(|i| !axes.contains(i)))
}

/// `v` as a product with what is the same for all summands: the rest, and that.
fn scaled(a: &mut Arena<'_>, v: VarId, axes: &Axes, location: Loc) -> Option<(VarId, VarId)> {
    if let Some((UnaryOp::Neg, x)) = unary_def(a, v) {
        let minus = a.full(Scalar::Float(-1.0), &a.ty(v).clone(), location);
        return Some((x, minus));
    }
    let e = a.def(v).filter(|e| e.op == MUL)?;
    let (p, q) = (e.inputs[0], e.inputs[1]);
    match (is_constant(a, p, axes), is_constant(a, q, axes)) {
        (_, true) => Some((p, q)),
        (true, false) => Some((q, p)),
        (false, false) => None,
    }
}

/// sum((x c) y) = c sum(x y) where c is the same for all summands. A square loses both of its
/// factors in double precision only: there is room for the squares of what was not scaled.
fn factor_of_product(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (x, axes) = sum(a, node)?;
    let e = a.def(x).filter(|e| e.op == MUL)?;
    let (p, q) = (e.inputs[0], e.inputs[1]);
    let location = node.location;
    let wide = a.ty(x).dtype == DType::F64;
    let (of_p, of_q) = (scaled(a, p, axes, location), scaled(a, q, axes, location));
    let last = |a: &mut Arena<'_>, v: VarId| scaled(a, v, axes, location).is_none();
    let (rest, factors): (VarId, &[VarId]) = match (of_p, of_q) {
        (Some((rest, c)), Some(_)) if p == q && wide => {
            (a.emit1(&MUL, &[rest, rest], location), &[c, c])
        }
        (Some((rest, c)), other) if p != q && (wide || other.is_none() || !last(a, rest)) => {
            (a.emit1(&MUL, &[rest, q], location), &[c])
        }
        (other, Some((rest, c))) if p != q && (other.is_none() || !last(a, rest)) => {
            (a.emit1(&MUL, &[p, rest], location), &[c])
        }
        _ => return None,
    };
    // The rule for factors takes them out one by one, so that each product is near the result.
    let mut product = rest;
    for &c in factors {
        product = a.push(&MUL, &[product, c], location)[0];
    }
    Some(a.emit1(node.op, &[product], location))
}

/// sum(x y - c) = sum(x y) - sum(c) where c is the same for all summands.
fn summand_of_sum(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (x, axes) = sum(a, node)?;
    let e = a.def(x)?;
    let Op::Binary(op @ (BinaryOp::Add | BinaryOp::Sub)) = e.op else { return None };
    let (p, q) = (e.inputs[0], e.inputs[1]);
    // What is rounded itself may as well be rounded with the sum; differences that are exact may
    // not be lost in sums that are large.
    let product = |v: VarId| a.def(v).is_some_and(|e| e.op == MUL || e.op == DIV);
    let apart = is_constant(a, q, axes) && product(p) || is_constant(a, p, axes) && product(q);
    if !apart {
        return None;
    }
    let sums = [p, q].map(|v| a.emit1(node.op, &[v], node.location));
    Some(a.emit1(&Op::Binary(op), &sums, node.location))
}

/// The body of a loop with quotients by what is the same in every step as products; `None` if there
/// are none. The reciprocals can then be computed before the loop.
pub(super) fn invariant_divisors(body: &Graph, consts: usize) -> Result<Option<Graph>> {
    let mut flags = vec![true; consts];
    flags.resize(body.inputs().len(), false);
    let known = known_vars(body, &flags);
    let divides = |e: &Eqn| {
        e.op == DIV
            && body.ty(e.outputs[0]).dtype.is_float()
            && known[e.inputs[1].index()]
            && !known[e.inputs[0].index()]
    };
    if !body.eqns().iter().any(divides) {
        return Ok(None);
    }
    let mut new = Rebuilt::new(body);
    for e in body.eqns() {
        let mut inputs = new.all(&e.inputs);
        let mut op = &e.op;
        if divides(e) {
            let ty = body.ty(e.inputs[1]).clone();
            let one = new.builder.constant(Value::full(Scalar::Float(1.0), ty));
            inputs[1] = new.push(&DIV, &[one, inputs[1]], e.location)?[0];
            op = &MUL;
        }
        let results = new.push(op, &inputs, e.location)?;
        new.note(&e.outputs, &results);
    }
    Ok(Some(new.finish(body.outputs())))
}

/// The body of a loop without factors of its carries.
pub(super) struct Lighter {
    pub(super) body: Graph,
    /// The carries, and which inputs of the body were their factors.
    pub(super) factors: Vec<(usize, usize)>,
}

/// The body of a loop with carries `x k` as `x`, where `k` is the same in every step: the product
/// is made at the beginning of the next step, where it is added to something, and is one operation
/// with that. `None` if there is none. Such a carry begins with zero, as cotangents do.
pub(super) fn carried_products(
    body: &Graph,
    consts: usize,
    carries: usize,
    begins_with_zero: impl Fn(usize) -> bool,
) -> Result<Option<Lighter>> {
    let mut found: Vec<(usize, usize, VarId, Loc)> = Vec::new();
    for c in 0..carries {
        let (input, output) = (body.inputs()[consts + c], body.outputs()[c]);
        let made = body.eqns().iter().find(|e| e.outputs.contains(&output) && e.op == MUL);
        let Some(e) = made.filter(|_| body.ty(output).dtype.is_float()) else { continue };
        let place = |v: VarId| body.inputs()[..consts].iter().position(|&k| k == v);
        let (x, k) = match (place(e.inputs[0]), place(e.inputs[1])) {
            (None, Some(k)) => (e.inputs[0], k),
            (Some(k), None) => (e.inputs[1], k),
            _ => continue,
        };
        let uses = |e: &Eqn| e.inputs.iter().filter(|v| **v == input).count();
        let users: Vec<&Eqn> = body.eqns().iter().filter(|e| uses(e) > 0).collect();
        let is_term = |e: &Eqn| matches!(e.op, Op::Binary(BinaryOp::Add | BinaryOp::Sub));
        let once = matches!(users[..], [user] if uses(user) == 1 && is_term(user));
        if once && x != input && !body.outputs().contains(&input) && begins_with_zero(consts + c) {
            found.push((c, k, x, e.location));
        }
    }
    if found.is_empty() {
        return Ok(None);
    }
    let mut new = Rebuilt::new(body);
    for &(c, k, _, location) in &found {
        let (carry, factor) = (body.inputs()[consts + c], body.inputs()[k]);
        let factors = new.all(&[carry, factor]);
        let product = new.push(&MUL, &factors, location)?;
        new.note(&[carry], &product);
    }
    for e in body.eqns() {
        let inputs = new.all(&e.inputs);
        let results = new.push(&e.op, &inputs, e.location)?;
        new.note(&e.outputs, &results);
    }
    let mut outputs = body.outputs().to_vec();
    found.iter().for_each(|&(c, _, x, _)| outputs[c] = x);
    let factors = found.into_iter().map(|(c, k, ..)| (c, k)).collect();
    Ok(Some(Lighter { body: new.finish(&outputs), factors }))
}

/// A graph with the inputs and the constants of another, and what becomes of its variables.
struct Rebuilt {
    builder: GraphBuilder,
    map: Vec<VarId>,
}

impl Rebuilt {
    fn new(graph: &Graph) -> Rebuilt {
        let mut builder = GraphBuilder::new();
        let mut map = vec![VarId(u32::MAX); graph.num_vars()];
        for v in graph.inputs() {
            map[v.index()] = builder.input(graph.ty(*v).clone());
        }
        for (v, value) in graph.consts() {
            map[v.index()] = builder.constant(value.clone());
        }
        Rebuilt { builder, map }
    }

    fn all(&self, vars: &[VarId]) -> Vec<VarId> {
        vars.iter().map(|v| self.map[v.index()]).collect()
    }

    fn push(&mut self, op: &Op, inputs: &[VarId], location: Loc) -> Result<Vec<VarId>> {
        let results = self.builder.push(op.clone(), inputs, location);
        Ok(results.map_err(|fault| internal(format!("{fault:?}")))?.to_vec())
    }

    fn note(&mut self, old: &[VarId], new: &[VarId]) {
        for (old, new) in old.iter().zip(new) {
            self.map[old.index()] = *new;
        }
    }

    fn finish(self, outputs: &[VarId]) -> Graph {
        let outputs = self.all(outputs);
        self.builder.finish(outputs)
    }
}
