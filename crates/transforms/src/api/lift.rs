//! From closures to graphs: what all user functions share. No transform is here.

use probpipe_trace::{
    Argument, Array, ArrayType, DType, Error, ErrorKind, Flat, Graph, Loc, Open, Result, Structure,
    one_of, trace_open, with_location,
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
    /// What the closure is applied to.
    pub(crate) fn arguments(&self) -> &[Array] {
        &self.operands[..self.arguments]
    }

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
    pub(crate) output: Structure,
}

/// What transforms see of a user's closure: a function on leaves. All they do with it is compiled
/// once, in this crate; the functions that users call are generic over closures and trees, and so
/// are compiled with every use: they only take apart, call and build.
pub(crate) type Function<'a> = &'a dyn Fn(Flat) -> Flat;

/// What of its arguments a traced closure sees.
pub(crate) type Types<'a> = &'a mut dyn FnMut(&[Array], &Structure) -> Result<Vec<ArrayType>>;

/// Traces `f` on arguments like `x`. `types` gives what the closure sees of each leaf. An argument
/// without an element type takes that in which the results need it.
pub(crate) fn lift(
    location: Loc,
    x: &Flat,
    f: Function<'_>,
    types: Types<'_>,
) -> Result<Lifted, Box<Failure>> {
    let Unsettled { mut open, output } = unsettled(location, x, f, types)?;
    open.decide_rest();
    let asked = open.asked().into_iter();
    let dtypes = x.leaves.iter().zip(asked).map(|(leaf, asked)| one_of(&asked, leaf.dtype()));
    let dtypes: Vec<DType> = dtypes.collect();
    let traced = open.close(&dtypes);
    let mut operands: Vec<Array> =
        x.leaves.iter().zip(&dtypes).map(|(leaf, &dtype)| leaf.in_dtype(dtype)).collect();
    if let Some(error) = operands.iter().find_map(Array::error) {
        return Err(Failure::new(error.clone(), Some(output)));
    }
    let arguments = operands.len();
    operands.extend(traced.captures);
    let input = x.structure.clone();
    Ok(Lifted { graph: traced.graph, operands, arguments, input, output })
}

/// [`lift`] before the types of arguments that have none are settled.
pub(crate) fn unsettled(
    location: Loc,
    x: &Flat,
    f: Function<'_>,
    types: Types<'_>,
) -> Result<Unsettled, Box<Failure>> {
    let types = types(&x.leaves, &x.structure).map_err(|error| Failure::new(error, None))?;
    let taken = x.leaves.iter().zip(&types).map(|(leaf, ty)| match leaf.dtype() == ty.dtype {
        true => Argument::of(leaf, &ty.shape),
        false => Argument::Typed(ty.clone()),
    });
    let taken: Vec<Argument> = taken.collect();
    let (open, output) = trace_open(location, &taken, |leaves| {
        let result = f(Flat { leaves: leaves.to_vec(), structure: x.structure.clone() });
        (result.leaves, result.structure)
    });
    match open {
        Ok(open) => Ok(Unsettled { open, output }),
        Err(error) => Err(Failure::new(error.at(location), Some(output))),
    }
}

/// The types of the leaves as they are.
pub(crate) fn own_types(leaves: &[Array], _: &Structure) -> Result<Vec<ArrayType>> {
    leaves.iter().map(Array::ty).collect()
}

/// [`lift`] on the types of the arguments themselves.
pub(crate) fn lift_plain(location: Loc, x: &Flat, f: Function<'_>) -> Result<Lifted, Box<Failure>> {
    lift(location, x, f, &mut own_types)
}

/// [`lift_plain`], or the invalid result of a function that cannot be traced or of an argument that
/// is invalid itself.
pub(crate) fn lift_or_invalid(
    location: Loc,
    x: &Flat,
    f: Function<'_>,
) -> std::result::Result<Lifted, Box<Flat>> {
    if let Some(error) = x.error() {
        return Err(Box::new(poison(x, f, error, location)));
    }
    lift_plain(location, x, f).map_err(|failure| Box::new(failed(x, f, &failure, location)))
}

/// The result of `f` on arguments that carry `error`: its structure is that of a result, its
/// leaves are all invalid.
pub(crate) fn poison(x: &Flat, f: Function<'_>, error: &Error, location: Loc) -> Flat {
    f(x.spoiled(error, location)).spoiled(error, location)
}

/// The invalid result of a function that failed.
pub(crate) fn failed(x: &Flat, f: Function<'_>, failure: &Failure, location: Loc) -> Flat {
    match &failure.output {
        Some(structure) => Flat::invalid(structure, &failure.error, location),
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
