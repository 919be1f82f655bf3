//! Loop distribution: elementwise work of a scan that no step waits for is done for all steps at
//! once, before the loop if it needs no carry, after it if no carry needs it. A loop then holds
//! only the chain that must run in order, and the rest is a vectorised kernel.
//!
//! It is done where functions such as `exp` are moved, since arithmetic alone costs no more inside,
//! and where the arrays that this stacks are small or take the place of as many. Values stay
//! the same to the bit. Nothing that adds up elements is moved.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::extract::{extract, internal};
use crate::vmap::vmap;
use probpipe_trace::op::{Cost, Nested, Spec};
use probpipe_trace::{Eqn, Graph, GraphBuilder, Loc, Op, Result, Scan, Switch, VarId, While};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Shorter loops are not worth it.
pub(super) const LEAST_STEPS: usize = 16;
/// Larger arrays are vectorised well enough inside of the loop.
const MOST_ELEMENTS: usize = 64;
/// Bytes that may be stacked in any case.
const SPARE_BYTES: usize = 1 << 20;

/// The graph with its loops of at least `least` steps distributed; `None` if there is none that
/// can be.
pub(super) fn distribute(graph: &Graph, least: usize) -> Result<Option<Graph>> {
    Distributor { least, bodies: FxHashMap::default() }.graph(graph)
}

struct Distributor {
    least: usize,
    /// What became of the bodies met, by address; they are held by the graph.
    bodies: FxHashMap<usize, Option<Arc<Graph>>>,
}

impl Distributor {
    fn graph(&mut self, graph: &Graph) -> Result<Option<Graph>> {
        if graph.eqns().iter().all(|eqn| eqn.op.graphs().is_empty()) {
            return Ok(None);
        }
        let mut builder = GraphBuilder::new();
        let mut map: Vec<Option<VarId>> = vec![None; graph.num_vars()];
        for v in graph.inputs() {
            map[v.index()] = Some(builder.input(graph.ty(*v).clone()));
        }
        for (v, value) in graph.consts() {
            map[v.index()] = Some(builder.constant(value.clone()));
        }
        let mut changed = false;
        for eqn in graph.eqns() {
            let operands: Vec<VarId> =
                eqn.inputs.iter().map(|v| found(&map, *v)).collect::<Result<_>>()?;
            let new = self.op(&eqn.op)?;
            changed |= new.is_some();
            let op = new.as_ref().unwrap_or(&eqn.op);
            let results = if let Op::Scan(scan) = op
                && scan.length >= self.least
            {
                distributed(&mut builder, scan, &operands, eqn.location, &mut changed)?
            } else {
                push(&mut builder, op, &operands, eqn.location)?
            };
            for (old, new) in eqn.outputs.iter().zip(results) {
                map[old.index()] = Some(new);
            }
        }
        let outputs =
            graph.outputs().iter().map(|v| found(&map, *v)).collect::<Result<Vec<_>>>()?;
        Ok(changed.then(|| builder.finish(outputs)))
    }

    fn body(&mut self, body: &Arc<Graph>) -> Result<Option<Arc<Graph>>> {
        let key = Arc::as_ptr(body) as usize;
        if let Some(known) = self.bodies.get(&key) {
            return Ok(known.clone());
        }
        let new = self.graph(body)?.map(Arc::new);
        self.bodies.insert(key, new.clone());
        Ok(new)
    }

    /// The op with the loops inside of it distributed.
    fn op(&mut self, op: &Op) -> Result<Option<Op>> {
        let Some(nested) = op.nested() else { return Ok(None) };
        Ok(match nested {
            Nested::Scan(scan) => {
                self.body(&scan.body)?.map(|body| Op::Scan(Scan { body, ..scan.clone() }))
            }
            Nested::While(w) => {
                let (cond, body) = (self.body(&w.cond)?, self.body(&w.body)?);
                if cond.is_none() && body.is_none() {
                    return Ok(None);
                }
                let cond = cond.unwrap_or_else(|| w.cond.clone());
                let body = body.unwrap_or_else(|| w.body.clone());
                Some(Op::While(While { cond, body, ..w.clone() }))
            }
            Nested::Switch(switch) => {
                let new: Vec<Option<Arc<Graph>>> =
                    switch.branches.iter().map(|b| self.body(b)).collect::<Result<_>>()?;
                if new.iter().all(Option::is_none) {
                    return Ok(None);
                }
                let both = new.into_iter().zip(&switch.branches);
                let branches = both.map(|(new, old)| new.unwrap_or_else(|| old.clone())).collect();
                Some(Op::Switch(Switch { branches }))
            }
            // What a checkpoint holds is to be computed where it stands; calls have been opened.
            Nested::Checkpoint(_) | Nested::Call(_) | Nested::Custom(_) => None,
        })
    }
}

fn found(map: &[Option<VarId>], v: VarId) -> Result<VarId> {
    map[v.index()].ok_or_else(|| internal(format!("{v} is read before it is defined")))
}

/// Adds a loop and what comes before and after it.
fn distributed(
    builder: &mut GraphBuilder,
    scan: &Scan,
    operands: &[VarId],
    location: Loc,
    changed: &mut bool,
) -> Result<Vec<VarId>> {
    let (mut scan, mut operands) = (scan.clone(), operands.to_vec());
    if let Some(before) = Before::of(&scan)? {
        *changed = true;
        let (consts, carried) = (scan.consts, scan.consts + scan.carries);
        let given: Vec<VarId> =
            operands[..consts].iter().chain(&operands[carried..]).copied().collect();
        operands.extend(inline(builder, &before.work, &given)?);
        scan.body = Arc::new(before.body);
    }
    let Some(after) = After::of(&scan)? else {
        return push(builder, &Op::Scan(scan), &operands, location);
    };
    *changed = true;
    let (consts, carried) = (scan.consts, scan.consts + scan.carries);
    let mut given: Vec<VarId> =
        operands[..consts].iter().chain(&operands[carried..]).copied().collect();
    let count = after.body.outputs().len();
    let body = Arc::new(after.body);
    let results = push(builder, &Op::Scan(Scan { body, ..scan }), &operands, location)?;
    given.extend(&results[count - after.stacked..]);
    let late = inline(builder, &after.work, &given)?;
    let place = |found: &Found| match found {
        Found::Loop(i) => results[*i],
        Found::Late(i) => late[*i],
    };
    Ok(after.results.iter().map(place).collect())
}

fn push(
    builder: &mut GraphBuilder,
    op: &Op,
    operands: &[VarId],
    location: Loc,
) -> Result<Vec<VarId>> {
    let results = builder.push(op.clone(), operands, location);
    Ok(results.map_err(|fault| internal(format!("{fault:?}")).at(location))?.to_vec())
}

/// Adds the equations of a graph; gives its outputs.
fn inline(builder: &mut GraphBuilder, graph: &Graph, given: &[VarId]) -> Result<Vec<VarId>> {
    let mut map: Vec<Option<VarId>> = vec![None; graph.num_vars()];
    for (v, new) in graph.inputs().iter().zip(given) {
        map[v.index()] = Some(*new);
    }
    for (v, value) in graph.consts() {
        map[v.index()] = Some(builder.constant(value.clone()));
    }
    for eqn in graph.eqns() {
        let operands: Vec<VarId> =
            eqn.inputs.iter().map(|v| found(&map, *v)).collect::<Result<_>>()?;
        let results = push(builder, &eqn.op, &operands, eqn.location)?;
        for (old, new) in eqn.outputs.iter().zip(results) {
            map[old.index()] = Some(new);
        }
    }
    graph.outputs().iter().map(|v| found(&map, *v)).collect()
}

/// What is known of a body, by equation and variable.
struct Body<'a> {
    graph: &'a Graph,
    scan: &'a Scan,
    /// The equation that defines a variable.
    def: Vec<Option<usize>>,
}

impl<'a> Body<'a> {
    fn new(scan: &'a Scan) -> Body<'a> {
        let graph = &*scan.body;
        let mut def = vec![None; graph.num_vars()];
        for (i, eqn) in graph.eqns().iter().enumerate() {
            eqn.outputs.iter().for_each(|v| def[v.index()] = Some(i));
        }
        Body { graph, scan, def }
    }

    fn consts(&self) -> &'a [VarId] {
        &self.graph.inputs()[..self.scan.consts]
    }

    fn carries(&self) -> &'a [VarId] {
        &self.graph.inputs()[self.scan.consts..][..self.scan.carries]
    }

    fn xs(&self) -> &'a [VarId] {
        &self.graph.inputs()[self.scan.consts + self.scan.carries..]
    }

    /// Bytes of the variables, stacked.
    fn stacked<'v>(&self, vars: impl IntoIterator<Item = &'v VarId>) -> usize {
        let bytes = vars.into_iter().map(|v| self.graph.ty(*v).bytes());
        bytes.fold(0, usize::saturating_add).saturating_mul(self.scan.length)
    }

    fn small(&self, eqn: &Eqn) -> bool {
        eqn.outputs.iter().all(|v| self.graph.ty(*v).size() <= MOST_ELEMENTS)
    }

    /// A graph on the loop's constants, its stacked operands and `more`, for all steps at once;
    /// `None` if some result is the same in every step.
    fn for_all_steps(&self, more: &[VarId], outputs: &[VarId]) -> Result<Option<Graph>> {
        let inputs: Vec<VarId> =
            self.consts().iter().chain(self.xs()).chain(more).copied().collect();
        let one = extract(self.graph, &inputs, outputs)?;
        let mut axes = vec![None; self.scan.consts];
        axes.resize(inputs.len(), Some(0));
        let (all, places) = vmap(&one, self.scan.length, &axes)?;
        Ok(places.iter().all(|place| *place == Some(0)).then_some(all))
    }
}

/// Whether an op gives each element by itself or only moves elements.
fn elementwise(op: &Op) -> bool {
    match op {
        Op::Unary(_)
        | Op::Binary(_)
        | Op::Compare(_)
        | Op::Select
        | Op::Cast(_)
        | Op::Bitcast(_)
        | Op::Threefry2x32
        | Op::Broadcast { .. }
        | Op::Reshape { .. }
        | Op::Transpose { .. }
        | Op::Slice { .. }
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::Reverse { .. }
        | Op::Iota { .. } => true,
        Op::Special(_)
        | Op::Reduce { .. }
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
    }
}

/// Whether an op is an elementwise function that takes many instructions.
fn costly(op: &Op) -> bool {
    let function = |spec: &Spec| spec.cost == Cost::Function;
    matches!(op, Op::Unary(op) if function(op.spec()))
        || matches!(op, Op::Binary(op) if function(op.spec()))
        || *op == Op::Threefry2x32
}

/// Whether an op costs nothing wherever it is.
fn free(op: &Op) -> bool {
    matches!(op, Op::Broadcast { .. } | Op::Iota { .. } | Op::Reshape { .. })
}

/// Work that needs no carry.
struct Before {
    /// From the constants and stacked operands of the loop to new stacked operands.
    work: Graph,
    /// The body, with the new operands last.
    body: Graph,
}

impl Before {
    fn of(scan: &Scan) -> Result<Option<Before>> {
        let b = Body::new(scan);
        if b.xs().is_empty() {
            return Ok(None);
        }
        // What depends on no carry, and of that what a function leads to.
        let mut known = vec![true; b.graph.num_vars()];
        let mut moved = vec![false; b.graph.num_vars()];
        b.carries().iter().for_each(|v| known[v.index()] = false);
        for eqn in b.graph.eqns() {
            let all = elementwise(&eqn.op) && eqn.inputs.iter().all(|v| known[v.index()]);
            let any = costly(&eqn.op) || eqn.inputs.iter().any(|v| moved[v.index()]);
            for v in &eqn.outputs {
                known[v.index()] = all;
                moved[v.index()] = all && any && b.small(eqn);
                // An array too large to move is no ancestor of what is moved.
                known[v.index()] &= b.small(eqn);
            }
        }
        // What the rest of the body reads of it, looking through what stays inside.
        let mut read = vec![false; b.graph.num_vars()];
        b.graph.outputs().iter().for_each(|v| read[v.index()] = true);
        let mut roots: Vec<VarId> = Vec::new();
        for eqn in b.graph.eqns().iter().rev() {
            let inside = !moved[eqn.outputs[0].index()];
            let wanted = eqn.outputs.iter().any(|v| read[v.index()]);
            if inside || (wanted && free(&eqn.op)) {
                eqn.inputs.iter().for_each(|v| read[v.index()] = true);
            } else if wanted {
                roots.extend(eqn.outputs.iter().filter(|v| read[v.index()]));
            }
        }
        roots.reverse();
        if roots.is_empty() || b.stacked(&roots) > SPARE_BYTES.max(b.stacked(b.xs())) {
            return Ok(None);
        }
        let Some(work) = b.for_all_steps(&[], &roots)? else { return Ok(None) };
        let inputs: Vec<VarId> = b.graph.inputs().iter().chain(&roots).copied().collect();
        let body = extract(b.graph, &inputs, b.graph.outputs())?;
        Ok(Some(Before { work, body }))
    }
}

/// Work that no carry needs.
struct After {
    /// The body, with what the work needs of it as its last outputs.
    body: Graph,
    /// How many those are.
    stacked: usize,
    /// From the constants and stacked operands of the loop, and its last outputs, to results.
    work: Graph,
    /// Where each result of the loop is now.
    results: Vec<Found>,
}

#[derive(Clone, Copy)]
enum Found {
    Loop(usize),
    Late(usize),
}

impl After {
    fn of(scan: &Scan) -> Result<Option<After>> {
        let b = Body::new(scan);
        let (carries, ys) = b.graph.outputs().split_at(scan.carries);
        if ys.is_empty() {
            return Ok(None);
        }
        // Equations that only stacked outputs need; of those, what comes from a function.
        let eqns = b.graph.eqns();
        let mut early = vec![false; b.graph.num_vars()];
        let mut late = vec![false; eqns.len()];
        carries.iter().for_each(|v| early[v.index()] = true);
        for (i, eqn) in eqns.iter().enumerate().rev() {
            late[i] = elementwise(&eqn.op)
                && b.small(eqn)
                && !eqn.outputs.iter().any(|v| early[v.index()]);
            if !late[i] {
                eqn.inputs.iter().for_each(|v| early[v.index()] = true);
            }
        }
        let mut moved = vec![false; eqns.len()];
        for (i, eqn) in eqns.iter().enumerate() {
            let from_moved = |v: &VarId| b.def[v.index()].is_some_and(|d| moved[d]);
            moved[i] = late[i] && (costly(&eqn.op) || eqn.inputs.iter().any(from_moved));
        }
        let is_moved = |v: &VarId| b.def[v.index()].is_some_and(|d| moved[d]);
        let mut outputs: Vec<VarId> = Vec::new();
        for v in ys.iter().filter(|v| is_moved(v)) {
            if !outputs.contains(v) {
                outputs.push(*v);
            }
        }
        if outputs.is_empty() {
            return Ok(None);
        }
        // What leads to a function may move too, if less is to be stacked then.
        let stacks = [&moved, &late].map(|cut| frontier(&b, cut, &outputs));
        let new = |list: &[VarId]| b.stacked(list.iter().filter(|v| !ys.contains(v)));
        let [less, more] = &stacks;
        let stack = if new(more) < new(less) { more } else { less };
        if new(stack) > SPARE_BYTES.max(b.stacked(&outputs)) {
            return Ok(None);
        }
        let Some(work) = b.for_all_steps(stack, &outputs)? else { return Ok(None) };
        let mut kept: Vec<VarId> = carries.to_vec();
        let mut results: Vec<Found> = (0..carries.len()).map(Found::Loop).collect();
        for v in ys {
            results.push(match outputs.iter().position(|o| o == v) {
                Some(i) => Found::Late(i),
                None => {
                    kept.push(*v);
                    Found::Loop(kept.len() - 1)
                }
            });
        }
        kept.extend(stack);
        let body = extract(b.graph, b.graph.inputs(), &kept)?;
        Ok(Some(After { body, stacked: stack.len(), work, results }))
    }
}

/// What must be stacked so that `outputs` can be computed after the loop by the equations marked.
fn frontier(b: &Body<'_>, marked: &[bool], outputs: &[VarId]) -> Vec<VarId> {
    let mut seen = vec![false; b.graph.num_vars()];
    let outside = b.consts().iter().chain(b.xs()).chain(b.graph.consts().iter().map(|(v, _)| v));
    outside.for_each(|v| seen[v.index()] = true);
    let mut stack = Vec::new();
    let mut todo: Vec<VarId> = outputs.to_vec();
    while let Some(v) = todo.pop() {
        if std::mem::replace(&mut seen[v.index()], true) {
            continue;
        }
        match b.def[v.index()].map(|d| (d, &b.graph.eqns()[d])) {
            Some((d, eqn)) if marked[d] || free(&eqn.op) => todo.extend(eqn.inputs.iter().rev()),
            _ => stack.push(v),
        }
    }
    stack
}
