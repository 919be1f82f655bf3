//! The invariants of a graph, and the check of all of them:
//!
//! 1. Every id is below [`Graph::num_vars`].
//! 2. Every variable of the table is defined exactly once: as an input, as a constant, or as the
//!    result of one equation. So inputs are distinct, and there are no variables left over.
//! 3. Every operand and every output is defined before it is used; constants and inputs are
//!    defined before the first equation. So a graph is closed.
//! 4. Every type fits in memory: its size in bytes is below `isize::MAX`.
//! 5. The type of a constant is that of its value.
//! 6. The operands of an equation fit its op and its parameters, and its results have the types
//!    that [`infer`] gives. Constants of an op (axes, extents, counts) are checked there too.
//! 7. The graphs that other ops run (`call`, `scan`, `switch`, ...) satisfy all this themselves.
//!
//! Nothing is repaired, and all faults are reported, not only the first. What comes of the check is
//! a proof, [`Verified`], which is all that lowerings and backends take.

use crate::error::{Error, ErrorKind};
use crate::op::graph::{Eqn, Graph};
use crate::op::{Op, infer};
use crate::text::equation_line;
use crate::types::ArrayType;
use crate::var::VarId;
use smallvec::SmallVec;
use std::fmt;
use std::ops::Deref;

/// A graph that satisfies the invariants. Only [`verify`] makes one, so what is lowered or compiled
/// has been checked. It borrows the graph, which nothing can change meanwhile, and copies nothing.
///
/// ```
/// use probpipe_trace::{Array, ArrayType, Backend, DType, Interpreter, array, trace, verify};
/// let ty = ArrayType::new(DType::F32, [2]);
/// let graph = trace(&[ty], |x: &[Array]| vec![x[0].exp()])?.graph;
/// let program = Interpreter.compile(verify(&graph)?)?;
/// # let out = program.run(&[&array([0.0, 1.0]).value()?])?;
/// # assert_eq!(out[0].ty(), graph.ty(graph.outputs()[0]));
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verified<'g>(&'g Graph);

impl<'g> Verified<'g> {
    /// The graph itself.
    pub fn graph(self) -> &'g Graph {
        self.0
    }
}

impl Deref for Verified<'_> {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        self.0
    }
}

/// Why a graph is not well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// Every fault, with the equation it is in.
    pub faults: Vec<String>,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.faults.len() == 1 { "" } else { "s" };
        write!(f, "the graph has {} fault{plural}", self.faults.len())?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n- {fault}"))
    }
}

impl std::error::Error for VerifyError {}

impl From<VerifyError> for Error {
    fn from(faults: VerifyError) -> Error {
        let message = format!("a graph to compile does not verify: {faults}");
        Error::new(ErrorKind::Internal, message)
    }
}

/// Checks the invariants listed at the head of this file.
///
/// # Errors
/// If one does not hold: all faults, each with its equation.
pub fn verify(graph: &Graph) -> Result<Verified<'_>, VerifyError> {
    let mut check = Check {
        graph,
        sound: graph.types.iter().map(fits_in_memory).collect(),
        defined: vec![false; graph.types.len()],
        faults: Vec::new(),
    };
    check.run();
    if check.faults.is_empty() {
        Ok(Verified(graph))
    } else {
        Err(VerifyError { faults: check.faults })
    }
}

struct Check<'g> {
    graph: &'g Graph,
    /// Whether each type's size can be computed at all; the type rules need that.
    sound: Vec<bool>,
    defined: Vec<bool>,
    faults: Vec<String>,
}

impl Check<'_> {
    fn run(&mut self) {
        let graph = self.graph;
        for (i, ty) in graph.types.iter().enumerate() {
            if !self.sound[i] {
                self.faults.push(format!("%{i}:{ty} does not fit in memory"));
            }
        }
        for &var in &graph.inputs {
            self.define(var, "as an input", None);
        }
        for (var, value) in &graph.consts {
            self.define(*var, "as a constant", None);
            if let Some(ty) = graph.types.get(var.index())
                && ty != value.ty()
            {
                self.faults.push(format!("constant {var}:{ty} has a value of type {}", value.ty()));
            }
        }
        for (at, eqn) in graph.eqns.iter().enumerate() {
            for &var in &eqn.inputs {
                self.used(var, Some(at));
            }
            // The type rules look into the body; a broken one has its own faults.
            if self.body(at, eqn) {
                self.types(at, eqn);
            }
            for &var in &eqn.outputs {
                self.define(var, "as a result", Some(at));
            }
        }
        for &var in &graph.outputs {
            self.used(var, None);
        }
        for (i, ty) in graph.types.iter().enumerate() {
            if !self.defined[i] {
                self.faults.push(format!("%{i}:{ty} is never defined"));
            }
        }
    }

    fn define(&mut self, var: VarId, how: &str, at: Option<usize>) {
        match self.defined.get_mut(var.index()) {
            None => self.fault(format!("{var} is not in the table of variables"), at),
            Some(known @ false) => *known = true,
            Some(true) => self.fault(format!("{var} is defined again {how}"), at),
        }
    }

    fn used(&mut self, var: VarId, at: Option<usize>) {
        match self.defined.get(var.index()) {
            None => self.fault(format!("{var} is not in the table of variables"), at),
            Some(true) => {}
            Some(false) if at.is_some() => {
                self.fault(format!("{var} is used before it is defined"), at);
            }
            Some(false) => self.fault(format!("output {var} is not defined"), at),
        }
    }

    /// Invariant 6.
    fn types(&mut self, at: usize, eqn: &Eqn) {
        let graph = self.graph;
        let sound = |v: &VarId| self.sound.get(v.index()).copied().unwrap_or(false);
        // Other faults are reported for these; the type rules would only stumble over them.
        if !eqn.inputs.iter().chain(&eqn.outputs).all(sound) {
            return;
        }
        if let Op::Iota { ty, .. } = &eqn.op
            && !fits_in_memory(ty)
        {
            return self.fault(format!("{ty} does not fit in memory"), Some(at));
        }
        let types: SmallVec<[&ArrayType; 4]> = eqn.inputs.iter().map(|&v| graph.ty(v)).collect();
        match infer(&eqn.op, &types) {
            Err(fault) => self.fault(fault.message, Some(at)),
            Ok(results) => {
                let have: Vec<&ArrayType> = eqn.outputs.iter().map(|&v| graph.ty(v)).collect();
                if !have.iter().copied().eq(&results) {
                    self.fault(
                        format!(
                            "`{}` gives {:?}, the table says {have:?}",
                            eqn.op.name(),
                            results.as_slice()
                        ),
                        Some(at),
                    );
                }
            }
        }
    }

    /// Invariant 7; false if it is broken.
    fn body(&mut self, at: usize, eqn: &Eqn) -> bool {
        let mut sound = true;
        let lane = match &eqn.op {
            Op::Call { lane: Some(lane), .. } => Some(&lane.graph),
            _ => None,
        };
        for (i, graph) in eqn.op.graphs().into_iter().chain(lane).enumerate() {
            let part = match &eqn.op {
                Op::Call { .. } if i > 0 => "a lane".to_string(),
                Op::Switch(_) => format!("branch {i}"),
                Op::While(_) if i == 0 => "the condition".to_string(),
                _ => "the body".to_string(),
            };
            for fault in verify(graph).err().map_or_else(Vec::new, |error| error.faults) {
                let fault = fault.replace('\n', "\n  ");
                self.fault(format!("in {part}: {fault}"), Some(at));
                sound = false;
            }
        }
        sound
    }

    /// Records a fault with the text form of the equation it is in and of the one before.
    fn fault(&mut self, message: String, at: Option<usize>) {
        let mut text = message;
        // A graph with very many faults is seldom read to the end.
        if let Some(at) = at
            && self.faults.len() < 100
        {
            let from = at.saturating_sub(1);
            for (i, eqn) in self.graph.eqns.iter().enumerate().take(at + 1).skip(from) {
                let mark = if i == at { '>' } else { ' ' };
                text.push_str(&format!("\n  {mark} {}", equation_line(self.graph, eqn)));
            }
        }
        self.faults.push(text);
    }
}

/// Whether the bytes of an array can be counted. Zero extents do not excuse the others: strides
/// are products of them.
pub(crate) fn fits_in_memory(ty: &ArrayType) -> bool {
    ty.shape
        .iter()
        .filter(|&&n| n != 0)
        .try_fold(ty.dtype.size(), |p, &n| p.checked_mul(n).filter(|&p| p <= isize::MAX as usize))
        .is_some()
}
