//! What the transforms ask of a backend. `trace` names no backend; each implements these.

use crate::caps::Caps;
use crate::error::{Error, ErrorKind, Result};
use crate::eval::eval_graph;
use crate::eval::profile::profile_graph;
use crate::op::graph::Graph;
use crate::profile::Profile;
use crate::types::ArrayType;
use crate::value::{Given, Value, Values};
use crate::verify::Verified;
use smallvec::SmallVec;
use std::fmt;

/// Turns graphs into programs.
pub trait Backend: Send + Sync + fmt::Debug {
    /// For messages and tables: `cpu`, `gpu`, `interpreter`.
    fn name(&self) -> &'static str;

    /// What it can run.
    fn caps(&self) -> Caps;

    /// Compiles a graph, which [`verify`](crate::verify()) has checked. What the backend cannot do
    /// is an error here that names the op and the user's line, never a wrong result later.
    fn compile(&self, graph: Verified<'_>) -> Result<Box<dyn Executable>>;
}

/// A compiled program.
pub trait Executable: Send + Sync + fmt::Debug {
    /// Runs the program. The caller guarantees that `inputs` have the graph's input types.
    fn run(&self, inputs: &[&Value]) -> Result<Values>;

    /// Whether [`Executable::run_taking`] can write results into the memory of some inputs.
    fn reuses(&self) -> bool {
        false
    }

    /// Runs the program on values that the caller gives up: results may take the memory of those
    /// of which no other handle is left.
    fn run_taking(&self, inputs: Given) -> Result<Values> {
        let inputs: SmallVec<[&Value; 8]> = inputs.iter().collect();
        self.run(&inputs)
    }

    /// Runs the program some times and says where the time goes. The caller guarantees what
    /// [`Executable::run`] asks for. A device that cannot tell says so.
    fn profile(&self, inputs: &[&Value]) -> Result<Profile> {
        let _ = inputs;
        Err(Error::new(ErrorKind::Backend, "programs of this device cannot be profiled")
            .help("profile on the CPU or on the interpreter"))
    }

    /// The forms that the program went through, by name (`program`, `clif`, `wgsl`...).
    fn stages(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// The backend that runs graphs on the reference interpreter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Interpreter;

#[derive(Debug)]
struct Interpreted(Graph);

impl Backend for Interpreter {
    fn name(&self) -> &'static str {
        "interpreter"
    }

    fn caps(&self) -> Caps {
        Caps::everything(self.name())
    }

    fn compile(&self, graph: Verified<'_>) -> Result<Box<dyn Executable>> {
        Ok(Box::new(Interpreted(graph.graph().clone())))
    }
}

impl Executable for Interpreted {
    fn run(&self, inputs: &[&Value]) -> Result<Values> {
        eval_graph(&self.0, inputs)
    }

    fn profile(&self, inputs: &[&Value]) -> Result<Profile> {
        profile_graph(&self.0, inputs)
    }
}

/// The zero of every element type, as a value of type `ty`.
pub fn zero_value(ty: &ArrayType) -> Result<Value> {
    Value::zeroed(ty.clone())
}
