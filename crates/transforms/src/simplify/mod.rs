//! Simplification: an equivalent graph that does less. One forward pass builds the graph anew,
//! where each equation meets the rules of its family, is folded if its operands are constants, or
//! is found among those already there; one backward pass drops what nothing reads. Rules look one
//! operand deep, so the passes are linear in the number of equations.
//!
//! Ops with derivatives of their own stay closed, so that what is simple can still be
//! differentiated; [`finish`] opens them.
//!
//! Values stay what they were, infinities and NaN among them; signs of zero may change (`x + 0` is
//! `x`). These rules round otherwise than the equations that they replace:
//!
//! - powers and quotients that become products, within the table of ops: see `quotient.rs`;
//! - a factor taken out of a sum, which rounds once and not once per summand, and `n x` for the
//!   sum of `n` equal summands;
//! - sums into a few cells, which round as `sum` does: see `scatter.rs`;
//! - `x b c` as `x (b c)` where one constant is a power of two, and `log(exp(x))` as `x`: these
//!   only gain range, and the digits that a result below the normal range would lose.
//!
//! `x / c` is `x (1 / c)` for powers of two only, `(x b) c` is not `x (b c)` for any other numbers,
//! and nothing is summed in another order. Only where it is asked for, `contract.rs` does more. No
//! fusion and no choice of layout is made here: that is the work of lowering.

mod arena;
mod branch;
mod choice;
mod contract;
mod dead;
mod distribute;
mod draws;
mod elementwise;
mod join;
mod key;
mod lanes;
mod last;
mod linalg;
mod quotient;
mod rules;
mod scan;
mod scatter;
mod sink;
mod structural;
mod while_loop;

use arena::Arena;
use probpipe_trace::{Caps, Graph, LaneForm, Result, Rounding, rounding};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Loops and calls expose work to rules that ran before they were opened; more rounds than this
/// have not been seen to find any.
const MAX_ROUNDS: usize = 3;

/// An equivalent graph that does less. Inputs and outputs keep their number, order and types.
pub fn simplify(graph: &Graph) -> Graph {
    Simplifier::default().graph(graph).unwrap_or_else(|_| graph.clone())
}

/// As [`simplify`], with every op that has derivatives of its own opened, and with work that no
/// step of a loop waits for done for all steps at once: what is compiled. The result must not be
/// differentiated, because those rules are gone. Where [`Rounding::Contracted`] is in force, it
/// rounds as said there.
pub fn finish(graph: &Graph) -> Graph {
    finish_for(graph, &Caps::everything("cpu"))
}

/// As [`finish`], for a backend: lanes run apart from each other where it runs them so.
pub fn finish_for(graph: &Graph, caps: &Caps) -> Graph {
    let mut simplifier = Simplifier { lanes: caps.lanes, ..Simplifier::last() };
    let Ok(simple) = simplifier.graph(graph) else { return graph.clone() };
    match distribute::distribute(&simple, distribute::LEAST_STEPS) {
        // One round takes away what nothing reads any more.
        Ok(Some(graph)) => simplifier.round(&graph).unwrap_or(simple),
        Ok(None) => simple,
        Err(fault) => {
            debug_assert!(false, "{fault}");
            simple
        }
    }
}

/// The graph with the elementwise work of its loops that no step waits for done for all steps at
/// once, before or after them; see [`finish`], which does so for long loops. The loops keep
/// operands and results that nothing reads any more.
pub fn distribute(graph: &Graph) -> Result<Graph> {
    Ok(distribute::distribute(graph, 1)?.unwrap_or_else(|| graph.clone()))
}

/// As [`finish`] but for the distribution of loops, with how often each rule was applied, for dumps
/// and tests. Rules that were not applied are listed with 0.
pub fn finish_counted(graph: &Graph) -> Result<(Graph, BTreeMap<&'static str, usize>)> {
    let mut simplifier = Simplifier::last();
    let simple = simplifier.graph(graph)?;
    let mut counts: BTreeMap<_, _> = rules::rule_names().into_iter().map(|n| (n, 0)).collect();
    counts.extend(simplifier.hits);
    Ok((simple, counts))
}

/// A body and what it became. The original is held so that its address stays its own.
type Known = (Arc<Graph>, Arc<Graph>);

/// Remembers the loop bodies that are simple already.
#[derive(Default)]
pub(crate) struct Simplifier {
    /// Whether ops with rules of their own are opened.
    open: bool,
    /// How lanes run.
    lanes: LaneForm,
    /// Whether operations may be contracted.
    contracts: bool,
    bodies: FxHashMap<usize, Known>,
    hits: FxHashMap<&'static str, usize>,
}

impl Simplifier {
    /// That of what is compiled.
    fn last() -> Simplifier {
        let contracts = rounding() == Rounding::Contracted;
        Simplifier { open: true, contracts, ..Simplifier::default() }
    }

    pub(crate) fn contracts(&self) -> bool {
        self.contracts
    }

    pub(crate) fn opens_custom(&self) -> bool {
        self.open
    }

    pub(crate) fn lanes(&self) -> LaneForm {
        self.lanes
    }

    /// Fails only where a rule made an equation that does not type, which is a fault of the rule.
    pub(crate) fn graph(&mut self, graph: &Graph) -> Result<Graph> {
        let mut current = self.round(graph)?;
        for _ in 1..MAX_ROUNDS {
            let nested = |g: &Graph| g.eqns().iter().any(|e| !e.op.graphs().is_empty());
            if !nested(&current) {
                break;
            }
            let next = self.round(&current)?;
            if next == current {
                break;
            }
            current = next;
        }
        Ok(current)
    }

    /// The body of a loop, simplified once however often it is met.
    pub(crate) fn body(&mut self, body: &Arc<Graph>) -> Result<Arc<Graph>> {
        let key = |g: &Arc<Graph>| Arc::as_ptr(g) as usize;
        if let Some((_, simple)) = self.bodies.get(&key(body)) {
            return Ok(simple.clone());
        }
        let simple = Arc::new(self.graph(body)?);
        self.bodies.insert(key(body), (body.clone(), simple.clone()));
        self.bodies.insert(key(&simple), (simple.clone(), simple.clone()));
        Ok(simple)
    }

    fn round(&mut self, graph: &Graph) -> Result<Graph> {
        let mut arena = Arena::new(self, &rules::RULES);
        let inputs = graph.inputs().iter().map(|v| arena.input(graph.ty(*v).clone())).collect();
        let outputs = arena.inline(graph, inputs)?;
        dead::finish(arena, &outputs)
    }
}
