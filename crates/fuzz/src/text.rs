//! The text form of graphs: any bytes are read or refused, and what is read prints and reads back.

use crate::Fault;
use probpipe::graph::{parse, rewrite, verify};

/// Texts whose graphs hold more elements than this are not rewritten, only read.
const ELEMENTS: usize = 1 << 12;

/// Reads any text. A graph that comes out verifies, prints, reads back equal, and survives
/// simplification and differentiation.
pub fn check_text(text: &str) -> Result<(), Fault> {
    let Ok(graph) = parse(text) else { return Ok(()) };
    let fault = |check, message: String| Fault::new(check, message, &graph);
    verify(&graph).map_err(|e| fault("verify what was read", e.to_string()))?;
    let printed = graph.to_string();
    let again = parse(&printed).map_err(|e| fault("read back", e.to_string()))?;
    if again.to_string() != printed {
        return Err(fault("read back", format!("prints as\n{again}")));
    }
    let inputs = graph.inputs().iter();
    let vars = inputs.chain(graph.eqns().iter().flat_map(|eqn| &eqn.outputs));
    if vars.map(|v| graph.ty(*v).size()).any(|n| n > ELEMENTS) {
        return Ok(());
    }
    let simple = rewrite::simplify(&graph);
    verify(&simple).map_err(|e| fault("simplify what was read", e.to_string()))?;
    let wrt: Vec<bool> = graph.input_types().map(|ty| ty.dtype.is_float()).collect();
    // What has no derivative says so; it must not panic.
    if let Ok(forward) = rewrite::jvp(&graph, &wrt) {
        verify(&forward.graph).map_err(|e| fault("jvp of what was read", e.to_string()))?;
    }
    Ok(())
}
