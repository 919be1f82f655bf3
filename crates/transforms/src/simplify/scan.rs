//! Loops: what does not change moves out of the step, numbers move in, operands that carry no
//! information of their own go, and so do carries that no step reads.

use super::arena::Arena;
use super::contract::{carried_products, invariant_divisors};
use super::sink::{Sunk, sink};
use crate::extract::internal;
use probpipe_trace::{
    ArrayType, BinaryOp, Graph, GraphBuilder, Loc, Op, Result, Scan, Shape, Value, VarId,
};
use smallvec::SmallVec;
use std::sync::Arc;

/// What becomes of an input of the body.
#[derive(Clone)]
enum Input {
    /// It stays in its part.
    Keep,
    /// It is the same in every step, so it becomes an invariant with this operand.
    Invariant(VarId),
    /// It is another input.
    Alias(usize),
    /// It is a number, repeated to the input's shape.
    Number(Value),
}

/// A loop on variables of the arena.
struct Loop {
    scan: Scan,
    operands: Vec<VarId>,
    /// The loop's results: outputs of the loop by number, or variables found otherwise.
    results: Vec<Found>,
}

#[derive(Clone, Copy)]
enum Found {
    Output(usize),
    Var(VarId),
    /// A result of what is computed behind the loop.
    Late(usize),
}

pub(super) fn simplify_scan(
    arena: &mut Arena<'_>,
    scan: &Scan,
    operands: &[VarId],
    location: Loc,
) -> Result<Vec<VarId>> {
    let mut body = arena.simplifier.body(&scan.body)?;
    if arena.simplifier.contracts()
        && let Some(contracted) = invariant_divisors(&body, scan.consts)?
    {
        body = arena.simplifier.body(&Arc::new(contracted))?;
    }
    let mut state = Loop {
        results: (0..body.outputs().len()).map(Found::Output).collect(),
        scan: Scan { body, ..scan.clone() },
        operands: operands.to_vec(),
    };
    // Each turn removes an input or an equation of the body.
    while hoist(arena, &mut state)? | tidy_inputs(arena, &mut state, location)? {
        state.scan.body = arena.simplifier.body(&state.scan.body)?;
    }
    let behind = sink_carries(&mut state)?;
    tidy_outputs(arena, &mut state, location)?;
    let (consts, carries) = (state.scan.consts, state.scan.carries);
    let factors =
        if arena.simplifier.contracts() { carry_less(arena, &mut state)? } else { vec![] };
    let mut outputs = arena.push(&Op::Scan(state.scan), &state.operands, location);
    for (carry, factor) in factors {
        let product = Op::Binary(BinaryOp::Mul);
        outputs[carry] = arena.emit1(&product, &[outputs[carry], factor], location);
    }
    let late = match behind {
        Some(work) => {
            let given = state.operands[..consts].iter().chain(&outputs[..carries]);
            arena.inline(&work, given.copied().collect())?
        }
        None => Vec::new(),
    };
    let result = |found: &Found| match found {
        Found::Output(i) => outputs[*i],
        Found::Var(v) => *v,
        Found::Late(i) => late[*i],
    };
    Ok(state.results.iter().map(result).collect())
}

/// Replaces inputs that say nothing of their own. True if there was one.
fn tidy_inputs(arena: &mut Arena<'_>, state: &mut Loop, location: Loc) -> Result<bool> {
    let scan = &state.scan;
    let body = &*scan.body;
    let carried = scan.consts..scan.consts + scan.carries;
    let mut plan = vec![Input::Keep; state.operands.len()];
    for (i, &operand) in state.operands.iter().enumerate() {
        plan[i] = if i < scan.consts {
            let earlier = state.operands[..i].iter().position(|&o| o == operand);
            match (number(arena, operand), earlier) {
                (Some(value), _) => Input::Number(value),
                // The earlier one is no number, or this would be one.
                (None, Some(j)) => Input::Alias(j),
                (None, None) => Input::Keep,
            }
        } else if carried.contains(&i) {
            let end = |i: usize| body.outputs()[i - scan.consts];
            let same = |j: &usize| state.operands[*j] == operand && end(*j) == end(i);
            // One that every step hands on unchanged, or one that is another all the way.
            match (scan.consts..i).find(same) {
                _ if end(i) == body.inputs()[i] => Input::Invariant(operand),
                Some(j) => Input::Alias(j),
                None => Input::Keep,
            }
        } else {
            match same_entry(arena, operand, location) {
                Some(entry) => Input::Invariant(entry),
                None => Input::Keep,
            }
        };
    }
    if plan.iter().all(|p| matches!(p, Input::Keep)) {
        return Ok(false);
    }
    rebuild(state, &plan)?;
    Ok(true)
}

/// The number that fills a variable, as a scalar value.
pub(super) fn number(arena: &Arena<'_>, v: VarId) -> Option<Value> {
    arena.splat(v).map(|scalar| Value::scalar(scalar, arena.ty(v).dtype))
}

/// The one entry of an array that is the same along its leading axis.
fn same_entry(arena: &mut Arena<'_>, v: VarId, location: Loc) -> Option<VarId> {
    let (x, axes) = match arena.def(v) {
        Some(e) => match &e.op {
            Op::Broadcast { axes, .. } => (e.inputs[0], axes.clone()),
            _ => return None,
        },
        None => return None,
    };
    if axes.first() == Some(&0) {
        return None;
    }
    let shape: Shape = arena.shape(v)[1..].into();
    let axes = axes.iter().map(|a| a - 1).collect();
    Some(arena.broadcast(x, shape, axes, location))
}

/// The loop with its inputs as planned.
fn rebuild(state: &mut Loop, plan: &[Input]) -> Result<()> {
    let scan = &state.scan;
    let body = &*scan.body;
    let (consts, carried) = (scan.consts, scan.consts..scan.consts + scan.carries);
    let invariant = |i: &usize| matches!(plan[*i], Input::Invariant(_));
    let keep = |i: &usize| matches!(plan[*i], Input::Keep);
    let mut order: Vec<usize> = (0..consts).filter(keep).collect();
    order.extend((consts..plan.len()).filter(invariant));
    let new_consts = order.len();
    let kept_carries: Vec<usize> = carried.clone().filter(keep).collect();
    order.extend(&kept_carries);
    order.extend((carried.end..plan.len()).filter(keep));

    let mut copy = Copy::new(body);
    for &i in &order {
        copy.input(body.inputs()[i]);
    }
    for (i, input) in plan.iter().enumerate() {
        match input {
            Input::Alias(j) => copy.alias(body.inputs()[i], body.inputs()[*j]),
            Input::Number(value) => copy.number(body.inputs()[i], value)?,
            Input::Keep | Input::Invariant(_) => {}
        }
    }
    let dropped = |i: usize| i < scan.carries && !keep(&(consts + i));
    let outputs: Vec<usize> = (0..body.outputs().len()).filter(|&i| !dropped(i)).collect();
    let kept: Vec<VarId> = outputs.iter().map(|&i| body.outputs()[i]).collect();
    let new_body = copy.finish(|_| true, &kept)?;

    for found in &mut state.results {
        if let Found::Output(i) = *found {
            let i = match plan.get(consts + i) {
                Some(Input::Alias(j)) => j - consts,
                _ => i,
            };
            *found = match outputs.iter().position(|&o| o == i) {
                Some(new) => Found::Output(new),
                // An unchanged carry ends as it started.
                None => Found::Var(state.operands[consts + i]),
            };
        }
    }
    state.operands = order
        .iter()
        .map(|&i| match plan[i] {
            Input::Invariant(v) => v,
            _ => state.operands[i],
        })
        .collect();
    state.scan = Scan {
        body: Arc::new(new_body),
        consts: new_consts,
        carries: kept_carries.len(),
        length: scan.length,
        reverse: scan.reverse,
    };
    Ok(())
}

/// What a body computes from its first inputs, its invariants, and the rest of it reads: the graph
/// of these values from the invariants, and the body that takes them behind its invariants. What
/// only repeats or counts stays, where it costs nothing, and so do ops that `stays` keeps.
pub(super) fn split_invariant(
    body: &Graph,
    consts: usize,
    stays: impl Fn(&Op) -> bool,
) -> Result<Option<(Graph, Graph)>> {
    let mut flags = vec![true; consts];
    flags.resize(body.inputs().len(), false);
    let mut invariant = crate::partial_eval::known_vars(body, &flags);
    for eqn in body.eqns() {
        let inside = stays(&eqn.op) || eqn.inputs.iter().any(|v| !invariant[v.index()]);
        for v in eqn.outputs.iter().filter(|_| inside) {
            invariant[v.index()] = false;
        }
    }
    let free = |op: &Op| matches!(op, Op::Broadcast { .. } | Op::Iota { .. } | Op::Reshape { .. });

    // Roots: invariant results that the rest reads, looking through what stays inside.
    let mut read = vec![false; body.num_vars()];
    for v in body.outputs() {
        read[v.index()] = true;
    }
    let mut roots: Vec<VarId> = Vec::new();
    for eqn in body.eqns().iter().rev() {
        let inside = !invariant[eqn.outputs[0].index()];
        let wanted = eqn.outputs.iter().any(|v| read[v.index()]);
        if inside || (wanted && free(&eqn.op)) {
            for v in &eqn.inputs {
                read[v.index()] = true;
            }
        } else if wanted {
            roots.extend(eqn.outputs.iter().filter(|v| read[v.index()]));
        }
    }
    if roots.is_empty() {
        return Ok(None);
    }
    roots.reverse();

    let (invariants, others) = body.inputs().split_at(consts);
    let outside = crate::extract::extract(body, invariants, &roots)?;
    let mut copy = Copy::new(body);
    for v in invariants.iter().chain(&roots).chain(others) {
        copy.input(*v);
    }
    let cut: rustc_hash::FxHashSet<VarId> = roots.iter().copied().collect();
    let inside = copy.finish(|v| v.iter().all(|v| !cut.contains(v)), body.outputs())?;
    Ok(Some((outside, inside)))
}

/// Moves equations that depend on invariants only before the loop. True if there was one.
fn hoist(arena: &mut Arena<'_>, state: &mut Loop) -> Result<bool> {
    let scan = &state.scan;
    if scan.length == 0 {
        return Ok(false);
    }
    let Some((outside, inside)) = split_invariant(&scan.body, scan.consts, |_| false)? else {
        return Ok(false);
    };
    let operands = state.operands[..scan.consts].to_vec();
    let hoisted = arena.inline(&outside, operands)?;
    let at = scan.consts;
    let consts = at + hoisted.len();
    state.operands.splice(at..at, hoisted);
    state.scan = Scan { body: Arc::new(inside), consts, ..scan.clone() };
    Ok(true)
}

/// Takes carries that no step reads out of the loop; gives what is computed behind it.
fn sink_carries(state: &mut Loop) -> Result<Option<Graph>> {
    let Some(Sunk { scan, inputs, kept, late, work }) = sink(&state.scan)? else {
        return Ok(None);
    };
    for found in &mut state.results {
        if let Found::Output(i) = *found {
            let place = |list: &[usize]| list.iter().position(|other| *other == i);
            *found = match place(&late) {
                Some(at) => Found::Late(at),
                None => Found::Output(place(&kept).unwrap_or(i)),
            };
        }
    }
    state.operands = inputs.iter().map(|i| state.operands[*i]).collect();
    state.scan = scan;
    Ok(Some(work))
}

/// Has carries that are products with an invariant be the other factor; gives, by the number of the
/// carry, what is still to be multiplied with.
fn carry_less(arena: &Arena<'_>, state: &mut Loop) -> Result<Vec<(usize, VarId)>> {
    let Scan { body, consts, carries, .. } = &state.scan;
    let zero = |i: usize| arena.is(state.operands[i], 0.0);
    let Some(lighter) = carried_products(body, *consts, *carries, zero)? else {
        return Ok(Vec::new());
    };
    state.scan.body = Arc::new(lighter.body);
    Ok(lighter.factors.into_iter().map(|(carry, k)| (carry, state.operands[k])).collect())
}

/// Stacked outputs that are entries of an operand, or the same in every step, need no stacking.
fn tidy_outputs(arena: &mut Arena<'_>, state: &mut Loop, location: Loc) -> Result<()> {
    let scan = state.scan.clone();
    let body = scan.body.clone();
    for found in &mut state.results {
        let Found::Output(i) = *found else { continue };
        if i < scan.carries {
            continue;
        }
        let v = body.outputs()[i];
        let stacked = |arena: &mut Arena<'_>, x: VarId| {
            let shape: Shape =
                std::iter::once(scan.length).chain(arena.shape(x).iter().copied()).collect();
            let axes = (1..shape.len()).collect();
            arena.broadcast(x, shape, axes, location)
        };
        let input = body.inputs().iter().position(|&x| x == v);
        let value = body.consts().iter().find(|(c, _)| *c == v).map(|(_, value)| value.clone());
        *found = match (input, value) {
            (Some(j), _) if j < scan.consts => Found::Var(stacked(arena, state.operands[j])),
            (Some(j), _) if j >= scan.consts + scan.carries => Found::Var(state.operands[j]),
            (None, Some(value)) => {
                let constant = arena.constant(value);
                Found::Var(stacked(arena, constant))
            }
            // Two outputs of one variable are stacked once.
            _ => {
                let first = (scan.carries..i).find(|&j| body.outputs()[j] == v);
                Found::Output(first.unwrap_or(i))
            }
        };
    }
    Ok(())
}

/// A copy of a graph with other inputs.
pub(super) struct Copy<'a> {
    graph: &'a Graph,
    builder: GraphBuilder,
    map: Vec<Option<VarId>>,
    aliases: Vec<(VarId, VarId)>,
}

impl<'a> Copy<'a> {
    pub(super) fn new(graph: &'a Graph) -> Copy<'a> {
        let map = vec![None; graph.num_vars()];
        Copy { graph, builder: GraphBuilder::new(), map, aliases: Vec::new() }
    }

    pub(super) fn input(&mut self, v: VarId) {
        self.map[v.index()] = Some(self.builder.input(self.graph.ty(v).clone()));
    }

    /// An input that nothing reads.
    pub(super) fn unread(&mut self, ty: ArrayType) {
        self.builder.input(ty);
    }

    pub(super) fn alias(&mut self, v: VarId, of: VarId) {
        self.aliases.push((v, of));
    }

    /// `v` is a number repeated.
    pub(super) fn number(&mut self, v: VarId, value: &Value) -> Result<()> {
        let shape = self.graph.ty(v).shape.clone();
        let mut new = self.builder.constant(value.clone());
        if !shape.is_empty() {
            let op = Op::Broadcast { shape, axes: SmallVec::new() };
            let at = self.graph.eqns().first().map(|e| e.location);
            let at = at.unwrap_or_else(|| std::panic::Location::caller());
            let results = self
                .builder
                .push(op, &[new], at)
                .map_err(|fault| internal(format!("{fault:?}")))?;
            new = results[0];
        }
        self.map[v.index()] = Some(new);
        Ok(())
    }

    /// The graph of the equations that `stays` keeps, by their results.
    pub(super) fn finish(
        mut self,
        stays: impl Fn(&[VarId]) -> bool,
        outputs: &[VarId],
    ) -> Result<Graph> {
        for (v, of) in std::mem::take(&mut self.aliases) {
            self.map[v.index()] = self.map[of.index()];
        }
        for (v, value) in self.graph.consts() {
            self.map[v.index()] = Some(self.builder.constant(value.clone()));
        }
        let undefined = |v: &VarId| internal(format!("{v} was cut away"));
        for eqn in self.graph.eqns().iter().filter(|e| stays(&e.outputs)) {
            let inputs: Vec<VarId> = eqn
                .inputs
                .iter()
                .map(|v| self.map[v.index()].ok_or_else(|| undefined(v)))
                .collect::<Result<_>>()?;
            let results = self
                .builder
                .push(eqn.op.clone(), &inputs, eqn.location)
                .map_err(|fault| internal(format!("{fault:?}")))?;
            for (old, new) in eqn.outputs.iter().zip(results) {
                self.map[old.index()] = Some(new);
            }
        }
        let outputs = outputs
            .iter()
            .map(|v| self.map[v.index()].ok_or_else(|| undefined(v)))
            .collect::<Result<_>>()?;
        Ok(self.builder.finish(outputs))
    }
}
