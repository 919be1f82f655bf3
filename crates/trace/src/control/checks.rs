//! What loops and branches share: how their carries and results are checked.

use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
use crate::op::graph::Graph;
use crate::open::{Argument, Open, one_of};
use crate::tree::Structure;
use crate::types::{ArrayType, Loc};

/// What a step or a branch takes, by the types of its operands.
pub(super) fn arguments(leaves: &[Array], types: &[ArrayType]) -> Vec<Argument> {
    leaves.iter().zip(types).map(|(leaf, ty)| Argument::of(leaf, &ty.shape)).collect()
}

/// The element types of what a step takes, of which the first are carries that its first results
/// become: a carry that starts without a type takes that which the step gives back, or else that in
/// which the step, or `other` that takes the same, needs it. Results get their types.
pub(super) fn settle(
    step: &mut Open,
    other: Option<&Open>,
    arguments: &[Argument],
    carries: usize,
) -> Vec<DType> {
    let default = |i: usize| arguments[i].ty().dtype;
    let mut types: Vec<Option<DType>> = arguments
        .iter()
        .map(|argument| match argument {
            Argument::Typed(ty) => Some(ty.dtype),
            Argument::Weak { .. } => None,
        })
        .collect();
    for i in 0..step.outputs() {
        let (ty, open) = step.output(i);
        match types.get(i).copied().filter(|_| i < carries) {
            None if open => step.decide(i, ty.dtype),
            Some(Some(dtype)) if open => step.decide(i, dtype),
            Some(None) if !open => {
                let takes = ty.dtype.is_float() || default(i).is_integer() && ty.dtype.is_integer();
                types[i] = Some(if takes { ty.dtype } else { default(i) });
            }
            _ => {}
        }
    }
    // Those that come back without a type take that of what they meet on the way.
    let needed = |step: &Open| {
        let mut asked = step.asked();
        if let Some(other) = other {
            asked.iter_mut().zip(other.asked()).for_each(|(all, more)| all.extend(more));
        }
        asked
    };
    loop {
        let asked = needed(step);
        let found = (0..carries).filter(|&i| types[i].is_none()).find_map(|i| {
            let float = step.output(i).0.dtype.is_float();
            let fits = |d: &DType| !float || d.is_float();
            let asked: Vec<DType> = asked[i].iter().copied().filter(fits).collect();
            (!asked.is_empty()).then(|| (i, one_of(&asked, default(i))))
        });
        match found {
            Some((i, dtype)) => {
                types[i] = Some(dtype);
                step.decide(i, dtype);
            }
            None => break,
        }
    }
    for (i, ty) in types.iter_mut().enumerate().take(carries) {
        if ty.is_none() {
            let given = step.output(i).0.dtype;
            let dtype = if given.is_float() { given } else { default(i) };
            *ty = Some(dtype);
            step.decide(i, dtype);
        }
    }
    step.decide_rest();
    let asked = needed(step);
    let rest = types.into_iter().zip(asked).enumerate();
    rest.map(|(i, (ty, asked))| ty.unwrap_or_else(|| one_of(&asked, default(i)))).collect()
}

/// The operands with the element types that were found for them.
pub(super) fn decided(leaves: &[Array], types: &[DType]) -> Vec<Array> {
    leaves.iter().zip(types).map(|(leaf, &dtype)| leaf.in_dtype(dtype)).collect()
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
    init: &[Array],
    structure: &Structure,
) -> Result<()> {
    for (i, (start, have)) in init.iter().zip(graph.output_types().skip(first)).enumerate() {
        let want = &start.ty()?;
        if want != have {
            let leaf = leaf_name(structure, i);
            let kind = if want.dtype == have.dtype { ErrorKind::Shape } else { ErrorKind::DType };
            let message =
                format!("the loop's carry{leaf} starts as {want} and ends a step as {have}");
            let error = Error::new(kind, message).note("it starts", Some(start.location));
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
