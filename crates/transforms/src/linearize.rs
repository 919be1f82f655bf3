//! The derivative of a graph at a point, as a linear graph: forward mode, simplified, split into
//! what does not depend on the tangents and what does.

use crate::jvp::jvp;
use crate::partial_eval::partial_eval_with;
use crate::simplify::simplify;
use probpipe_trace::{Graph, Result};

/// A graph at a point: values, and the linear map of tangents.
#[derive(Debug, Clone)]
pub struct Linearized {
    /// From the graph's inputs to its outputs, then the residuals.
    pub primal: Graph,
    /// From the residuals, then tangents of the flagged inputs, to the tangents of the outputs
    /// that are not always zero. Linear in the tangents.
    pub linear: Graph,
    /// Number of residuals.
    pub residuals: usize,
    /// Which outputs have a tangent.
    pub nonzero: Vec<bool>,
}

/// Linearises a graph with respect to the flagged inputs, which must be floats.
pub fn linearize(graph: &Graph, wrt: &[bool]) -> Result<Linearized> {
    let forward = jvp(graph, wrt)?;
    let simplified = simplify(&forward.graph);
    let known: Vec<bool> =
        (0..simplified.inputs().len()).map(|i| i < graph.inputs().len()).collect();
    let force: Vec<bool> =
        (0..simplified.outputs().len()).map(|i| i >= graph.outputs().len()).collect();
    let partial = partial_eval_with(&simplified, &known, &force)?;
    Ok(Linearized {
        primal: partial.known,
        linear: partial.unknown,
        residuals: partial.residuals,
        nonzero: forward.nonzero,
    })
}
