//! Ops that hold more than a formula: a graph with derivatives of its own, and a function of the
//! host. Both hold Rust code, so they are equal only if they hold the same object, and the text
//! form cannot bring them back.

use crate::context::without_location;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::{Array, Outputs};
use crate::op::fault::{Fault, Inferred, checked_size};
use crate::op::graph::Graph;
use crate::types::ArrayType;
use crate::value::Value;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A graph whose derivatives are those that a rule gives. It computes what the graph computes, and
/// compilation puts the graph in its place.
#[derive(Clone)]
pub struct Custom {
    /// The values.
    pub graph: Arc<Graph>,
    /// The derivatives.
    pub rule: Arc<dyn CustomRule>,
}

/// Tangents or cotangents; `None` is zero.
pub type Sparse = Vec<Option<Array>>;

/// The derivatives of a [`Custom`] op, written as array operations.
pub trait CustomRule: fmt::Debug + Send + Sync {
    /// For printed graphs and messages.
    fn name(&self) -> &'static str;

    /// Results and their tangents, from operands of which some have a tangent.
    fn jvp(&self, op: &Custom, x: &[&Array], dx: &[Option<&Array>]) -> Result<(Outputs, Sparse)>;

    /// Cotangents of the operands that have no value, which enter linearly. Without a rule
    /// (`None`) the graph is transposed.
    fn transpose(
        &self,
        op: &Custom,
        values: &[Option<Array>],
        cts: &[Option<Array>],
    ) -> Option<Result<Sparse>> {
        let _ = (op, values, cts);
        None
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom").field("rule", &self.rule).field("graph", &self.graph).finish()
    }
}

/// The same rule, by identity, on an equal graph.
impl PartialEq for Custom {
    fn eq(&self, other: &Custom) -> bool {
        Arc::ptr_eq(&self.rule, &other.rule)
            && (Arc::ptr_eq(&self.graph, &other.graph) || self.graph == other.graph)
    }
}

/// A function of the host. It may fail; what it gives is checked by [`Callback::call`].
pub type HostFn = dyn Fn(&[Value]) -> Result<Vec<Value>> + Send + Sync;

/// A call of a function of the host from inside a program.
#[derive(Clone)]
pub struct Callback {
    /// For printed graphs and messages.
    pub name: Arc<str>,
    /// What is called.
    pub function: Arc<HostFn>,
    /// Types of the operands.
    pub inputs: Vec<ArrayType>,
    /// Types of the results, which the function must give.
    pub outputs: Vec<ArrayType>,
    /// Whether the function takes leading axes in front of its operands and gives its results with
    /// them; if not, batching calls it once per lane.
    pub vectorized: bool,
}

impl Callback {
    /// Calls the function. A panic in it, and results of other types, are errors.
    pub fn call(&self, inputs: &[Value]) -> Result<Vec<Value>> {
        let fail = |message: String, help: &str| {
            Err(Error::new(ErrorKind::Host, format!("the callback `{}` {message}", self.name))
                .help(help))
        };
        let results =
            catch_unwind(AssertUnwindSafe(|| without_location(|| (self.function)(inputs))));
        let results = match results {
            Ok(results) => results?,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                let text = text.map_or(String::new(), |text| format!(": {text}"));
                return fail(format!("panicked{text}"), "the function must not panic");
            }
        };
        let types: Vec<ArrayType> = results.iter().map(|value| value.ty().clone()).collect();
        if types != self.outputs {
            return fail(
                format!("gave {types:?}, it was declared to give {:?}", self.outputs),
                "give results of the types that the call declares",
            );
        }
        Ok(results)
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("name", &self.name)
            .field("outputs", &self.outputs)
            .field("vectorized", &self.vectorized)
            .finish_non_exhaustive()
    }
}

/// The same function, by identity.
impl PartialEq for Callback {
    fn eq(&self, other: &Callback) -> bool {
        Arc::ptr_eq(&self.function, &other.function)
            && self.inputs == other.inputs
            && self.outputs == other.outputs
            && self.vectorized == other.vectorized
    }
}

pub(super) fn call(name: &str, graph: &Graph, inputs: &[&ArrayType]) -> Inferred {
    for (i, (have, var)) in inputs.iter().zip(graph.inputs()).enumerate() {
        if *have != graph.ty(*var) {
            return Err(Fault::shape(
                format!("`{name}` input {i} is {have}, the graph takes {}", graph.ty(*var)),
                "call the graph with the types it was traced for",
            ));
        }
    }
    Ok(graph.outputs().iter().map(|v| graph.ty(*v).clone()).collect())
}

pub(super) fn callback(callback: &Callback, inputs: &[&ArrayType]) -> Inferred {
    for (i, (have, want)) in inputs.iter().zip(&callback.inputs).enumerate() {
        if *have != want {
            return Err(Fault::shape(
                format!("`callback` input {i} is {have}, the function takes {want}"),
                "call the function with the types it was declared for",
            ));
        }
    }
    for ty in &callback.outputs {
        checked_size(&ty.shape)?;
    }
    Ok(callback.outputs.iter().cloned().collect())
}
