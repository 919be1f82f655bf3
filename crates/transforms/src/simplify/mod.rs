//! stub
use crate::extract::extract;
use probpipe_trace::Graph;
/// An equivalent graph that does less.
pub fn simplify(graph: &Graph) -> Graph {
    extract(graph, graph.inputs(), graph.outputs()).unwrap_or_else(|_| graph.clone())
}
