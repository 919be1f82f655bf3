//! From closures to graphs: what all user functions share. No transform is here.

use crate::extract::internal;
use probpipe_trace::{
    Argument, Array, ArrayType, DType, Error, ErrorKind, Flatten, Graph, Loc, Open, Result,
    Structure, Tree, one_of, trace_open, with_location,
};

/// A closure traced on the types of its arguments.
pub(crate) struct Lifted {
    pub(crate) graph: Graph,
    /// The arguments, then the arrays of outer traces that the closure captured.
    pub(crate) operands: Vec<Array>,
    /// Number of arguments.
    pub(crate) arguments: usize,
    pub(crate) input: Structure,
    pub(crate) output: Structure,
}

impl Lifted {
    /// Flags of the inputs: the given ones for the arguments, false for the captures.
    pub(crate) fn with_captures(&self, arguments: &[bool]) -> Vec<bool> {
        let mut flags = arguments.to_vec();
        flags.resize(self.operands.len(), false);
        flags
    }
}

/// Why a closure could not be traced; the structure of its result is known if it ran.
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) output: Option<Structure>,
}

impl Failure {
    fn new(error: Error, output: Option<Structure>) -> Box<Failure> {
        Box::new(Failure { error, output })
    }
}

/// A closure traced, of whose arguments those without an element type are still to get one.
pub(crate) struct Unsettled {
    pub(crate) open: Open,
    /// The arguments as they were given.
    pub(crate) leaves: Vec<Array>,
    pub(crate) input: Structure,
    pub(crate) output: Structure,
}

/// Traces `f` on arguments like `x`. `types` gives what the closure sees of each leaf. An argument
/// without an element type takes that in which the results need it.
pub(crate) fn lift<A: Tree, R: Tree>(
    location: Loc,
    x: &A,
    f: impl FnOnce(A) -> R,
    types: impl FnOnce(&[Array], &Structure) -> Result<Vec<ArrayType>>,
) -> Result<Lifted, Box<Failure>> {
    let Unsettled { mut open, leaves, input, output } = unsettled(location, x, f, types)?;
    open.decide_rest();
    let asked = open.asked().into_iter();
    let dtypes = leaves.iter().zip(asked).map(|(leaf, asked)| one_of(&asked, leaf.dtype()));
    let dtypes: Vec<DType> = dtypes.collect();
    let traced = open.close(&dtypes);
    let mut operands: Vec<Array> =
        leaves.iter().zip(&dtypes).map(|(leaf, &dtype)| leaf.in_dtype(dtype)).collect();
    if let Some(error) = operands.iter().find_map(Array::error) {
        return Err(Failure::new(error.clone(), Some(output)));
    }
    let arguments = operands.len();
    operands.extend(traced.captures);
    Ok(Lifted { graph: traced.graph, operands, arguments, input, output })
}

/// [`lift`] before the types of arguments that have none are settled.
pub(crate) fn unsettled<A: Tree, R: Tree>(
    location: Loc,
    x: &A,
    f: impl FnOnce(A) -> R,
    types: impl FnOnce(&[Array], &Structure) -> Result<Vec<ArrayType>>,
) -> Result<Unsettled, Box<Failure>> {
    let flat = Flatten::of(x);
    let leaves: Vec<Array> = flat.leaves.iter().map(|&a| a.clone()).collect();
    let input = flat.into_structure();
    let types = types(&leaves, &input).map_err(|error| Failure::new(error, None))?;
    let taken = leaves.iter().zip(&types).map(|(leaf, ty)| match leaf.dtype() == ty.dtype {
        true => Argument::of(leaf, &ty.shape),
        false => Argument::Typed(ty.clone()),
    });
    let taken: Vec<Argument> = taken.collect();
    let (open, output) =
        trace_open(location, &taken, |leaves| match input.build(leaves.to_vec()) {
            Ok(tree) => {
                let result: R = f(tree);
                (result.leaves(), Some(result.structure()))
            }
            Err(error) => (vec![Array::invalid(error, location)], None),
        });
    match (open, output) {
        (Ok(open), Some(output)) => Ok(Unsettled { open, leaves, input, output }),
        (Err(error), output) => Err(Failure::new(error.at(location), output)),
        (Ok(_), None) => Err(Failure::new(internal("a trace gave no tree"), None)),
    }
}

/// The types of the leaves as they are.
pub(crate) fn own_types(leaves: &[Array], _: &Structure) -> Result<Vec<ArrayType>> {
    leaves.iter().map(Array::ty).collect()
}

/// [`lift`] on the types of the arguments themselves.
pub(crate) fn lift_plain<A: Tree, R: Tree>(
    location: Loc,
    x: &A,
    f: impl FnOnce(A) -> R,
) -> Result<Lifted, Box<Failure>> {
    lift(location, x, f, own_types)
}

/// [`lift_plain`], or the invalid result of a function that cannot be traced or of an argument that
/// is invalid itself.
pub(crate) fn lift_or_invalid<A: Tree, R: Tree>(
    location: Loc,
    x: &A,
    f: &impl Fn(A) -> R,
) -> std::result::Result<Lifted, R> {
    if let Some(error) = x.leaves().iter().find_map(|a| a.error().cloned()) {
        return Err(poison(x, f, &error, location));
    }
    lift_plain(location, x, f).map_err(|failure| failed(x, f, &failure, location))
}

/// A tree of results; one that does not fit its structure is a fault of this library, and comes
/// out as invalid leaves.
pub(crate) fn build<T: Tree>(structure: &Structure, leaves: Vec<Array>, location: Loc) -> T {
    match structure.build(leaves) {
        Ok(tree) => tree,
        Err(error) => invalid(structure, &error, location),
    }
}

/// A tree with the error in every leaf.
pub(crate) fn invalid<T: Tree>(structure: &Structure, error: &Error, location: Loc) -> T {
    match structure.invalid(error, location) {
        Ok(tree) => tree,
        // A structure taken from a `T` always builds a `T`.
        Err(error) => unreachable!("{error}"),
    }
}

/// The result of `f` on arguments that carry `error`: its structure is that of a result, its
/// leaves are all invalid.
pub(crate) fn poison<A: Tree, R: Tree>(
    x: &A,
    f: impl FnOnce(A) -> R,
    error: &Error,
    location: Loc,
) -> R {
    let bad = |a: &Array| match a.error() {
        Some(_) => a.clone(),
        None => Array::invalid(error.clone(), location),
    };
    f(x.map(bad)).map(bad)
}

/// The invalid result of a function that failed.
pub(crate) fn failed<A: Tree, R: Tree>(
    x: &A,
    f: impl FnOnce(A) -> R,
    failure: &Failure,
    location: Loc,
) -> R {
    match &failure.output {
        Some(structure) => invalid(structure, &failure.error, location),
        None => poison(x, f, &failure.error, location),
    }
}

/// The leaf's name for messages.
pub(crate) fn leaf_name(structure: &Structure, leaf: usize) -> String {
    match structure.paths().get(leaf).map(String::as_str) {
        None | Some("") => "the argument".to_string(),
        Some(path) => format!("the argument's leaf `{path}`"),
    }
}

/// An error of a transform at the line where the user asked for it.
pub(crate) fn transform_error(location: Loc, message: String, help: &str) -> Error {
    Error::new(ErrorKind::Transform, message).at(location).help(help)
}

/// Refuses arguments that cannot be differentiated.
pub(crate) fn check_floats(
    name: &str,
    leaves: &[Array],
    structure: &Structure,
    location: Loc,
) -> Result<()> {
    for (i, leaf) in leaves.iter().enumerate() {
        let ty = leaf.ty()?;
        if !ty.dtype.is_float() {
            return Err(transform_error(
                location,
                format!(
                    "`{name}` cannot differentiate with respect to {}, which is {ty}",
                    leaf_name(structure, i)
                ),
                "close over it instead of passing it, or convert it with `.cast(DType::F32)`",
            )
            .note(format!("operand {ty}"), Some(leaf.location())));
        }
    }
    Ok(())
}

/// Runs a graph with what it records located at the user's call where it has no line of its own.
pub(crate) fn run(location: Loc, graph: &Graph, operands: &[Array]) -> Vec<Array> {
    with_location(location, || probpipe_trace::inline(graph, operands))
}
