//! What loops and branches share: how their carries and results are checked.

use crate::context::with_location;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
use crate::op::graph::Graph;
use crate::tree::{Structure, Tree};
use crate::types::{ArrayType, Loc};

/// Literals carry no element type of their own; inside a loop or a branch they need one.
pub(super) fn typed<T: Tree>(tree: &T) -> T {
    let typed = |a: &Array| with_location(a.location, || a.cast(a.dtype()));
    tree.map(|a| if a.is_literal() { typed(a) } else { a.clone() })
}

/// The leaf's own error, or the given one.
pub(super) fn spoiled(leaf: &Array, error: &Error, location: Loc) -> Array {
    match leaf.error() {
        Some(_) => leaf.clone(),
        None => Array::invalid(error.clone(), location),
    }
}

/// The tree of a structure that it is known to fit.
pub(super) fn built<T: Tree>(structure: &Structure, leaves: Vec<Array>) -> T {
    match structure.build(leaves) {
        Ok(tree) => tree,
        Err(error) => unreachable!("{error}"),
    }
}

/// The leaves of a structure, for messages.
pub(super) fn listed(structure: &Structure) -> String {
    match &structure.paths()[..] {
        [] => "no leaves".to_string(),
        [path] if path.is_empty() => "one leaf".to_string(),
        paths => format!("leaves `{}`", paths.join("`, `")),
    }
}

/// How a leaf is named in messages: ` leaf \`.0\``, or nothing for a tree that is one leaf.
pub(super) fn leaf_name(structure: &Structure, i: usize) -> String {
    match structure.paths().get(i).map(String::as_str) {
        None | Some("") => String::new(),
        Some(path) => format!(" leaf `{path}`"),
    }
}

/// Where an output of a graph was made.
pub(super) fn made(graph: &Graph, output: usize) -> Option<Loc> {
    let var = graph.outputs()[output];
    graph.eqns().iter().find(|e| e.outputs.contains(&var)).map(|e| e.location)
}

/// A step gives back the structure that it takes.
pub(super) fn check_structure(before: &Structure, after: &Structure) -> Result<()> {
    if before == after {
        return Ok(());
    }
    let message = format!(
        "the loop's carry changes structure: it has {} before a step and {} after",
        listed(before),
        listed(after)
    );
    Err(Error::new(ErrorKind::Tree, message)
        .help("give back a carry of the structure that the step takes"))
}

/// A step gives back the types that it takes, from output `first` on; `init` is where the carry
/// comes from.
pub(super) fn check_carry(
    graph: &Graph,
    first: usize,
    init: &[&Array],
    before: &[ArrayType],
    structure: &Structure,
) -> Result<()> {
    for (i, (want, have)) in before.iter().zip(graph.output_types().skip(first)).enumerate() {
        if want != have {
            let leaf = leaf_name(structure, i);
            let kind = if want.dtype == have.dtype { ErrorKind::Shape } else { ErrorKind::DType };
            let message =
                format!("the loop's carry{leaf} starts as {want} and ends a step as {have}");
            let error = Error::new(kind, message).note("it starts", Some(init[i].location));
            let error = match made(graph, first + i) {
                Some(location) => error.note("it ends a step", Some(location)),
                None => error,
            };
            return Err(error.help(
                "a step must give back carries of the types it takes; see `reshape` and `cast`",
            ));
        }
    }
    Ok(())
}
