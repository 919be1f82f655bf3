//! Branches: of several functions only the chosen one runs.

use crate::context::{here, with_location};
use crate::control::checks::{arguments, decided, leaf_name, listed, made};
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::flat::{Flat, Shell, once};
use crate::handle::{Array, Outputs, Repr};
use crate::op::Op;
use crate::op::control::Switch;
use crate::op::graph::Graph;
use crate::open::{Argument, Open, Traced, one_of, trace_open};
use crate::tracing::bind;
use crate::tree::{Structure, Tree};
use crate::types::{ArrayType, Loc};
use crate::var::VarId;
use std::sync::Arc;

/// Runs `on_true(operands)` where `predicate` is true (or a number other than zero), else
/// `on_false(operands)`. Both are traced once, may capture outer arrays and give equal structures
/// and types; only the chosen one runs. Under `vmap` with a predicate per lane a branch runs if
/// any lane takes it. To choose element by element see [`crate::select`].
///
/// ```
/// use probpipe_trace::{array, cond};
/// let x = array([1.0, 4.0]);
/// let y = cond(x.sum().gt(3.0), x, |x| x.sqrt(), |x| x * 2.0);
/// assert_eq!(y.to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn cond<T: Tree, R: Tree>(
    predicate: impl Into<Array>,
    operands: T,
    on_true: impl FnOnce(T) -> R,
    on_false: impl FnOnce(T) -> R,
) -> R {
    let (on_false, on_true) = (once(on_false), once(on_true));
    let (location, predicate) = (here(), predicate.into());
    chosen(location, operands, &[&on_false, &on_true], &mut |operands, branches| {
        choose(location, &predicate, operands, branches)
    })
}

/// The result of branches on trees by what does its work on leaves.
fn chosen<T: Tree, R: Tree>(
    location: Loc,
    operands: T,
    branches: &[&dyn Fn(T) -> R],
    core: &mut dyn FnMut(Flat, &[Branch<'_>]) -> Flat,
) -> R {
    let flat = Flat::of(&operands);
    let shell = Shell::new(location, operands);
    let own: Vec<_> = branches.iter().map(|f| shell.on(f)).collect();
    let list: Vec<Branch<'_>> = own.iter().map(|f| f as Branch<'_>).collect();
    let result = core(flat, &list);
    // The trait is sealed, and empty arrays do not compile.
    shell.result(branches[0], result)
}

fn choose(location: Loc, predicate: &Array, operands: Flat, branches: &[Branch<'_>]) -> Flat {
    let truth = || truth(predicate, "`cond` branches on").cast(DType::I32);
    let index = with_location(location, truth);
    let names = ["the false branch".to_string(), "the true branch".to_string()];
    run(location, "cond", index, operands, &names, branches)
}

/// Runs the branch that `index` names, an integer scalar that is clamped to the branches. They are
/// given as an array or a tuple of functions, are traced once, may capture outer arrays
/// and give equal structures and types; only the chosen one runs.
///
/// ```
/// use probpipe_trace::{Array, array, switch};
/// let y = switch(
///     1,
///     array([3.0]),
///     (|x: Array| x + 1.0, |x: Array| x * 2.0, |x: Array| x.sqrt()),
/// );
/// assert_eq!(y.item::<f32>()?, 6.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn switch<'a, T: Tree, R: Tree>(
    index: impl Into<Array>,
    operands: T,
    branches: impl Branches<'a, T, R>,
) -> R {
    let (location, index, list) = (here(), index.into(), branches.list());
    let list: Vec<&dyn Fn(T) -> R> = list.iter().map(|f| &**f as &dyn Fn(T) -> R).collect();
    chosen(location, operands, &list, &mut |operands, branches| {
        pick(location, &index, operands, branches)
    })
}

fn pick(location: Loc, index: &Array, operands: Flat, branches: &[Branch<'_>]) -> Flat {
    let names: Vec<String> = (0..branches.len()).map(|i| format!("branch {i}")).collect();
    let index = with_location(location, || whole(index, branches.len()));
    run(location, "switch", index, operands, &names, branches)
}

/// A branch on leaves, which is called once.
type Branch<'a> = &'a dyn Fn(Flat) -> Flat;
type OwnBranch<'a, T, R> = Box<dyn Fn(T) -> R + 'a>;

/// What [`switch`] takes as branches: `[f, g]` or `(f, g)`, functions from `T` to `R`. Tuples hold
/// functions of different types and have up to eight entries. Sealed: there is always a branch.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of branches from `{T}` to `{R}`",
    note = "branches are functions `|x: {T}| ..` that give one type, in an array `[f, g]` or in a \
            tuple `(f, g)` of up to eight"
)]
pub trait Branches<'a, T: Tree, R: Tree>: sealed::Sealed {
    /// The branches in order, each called once.
    #[doc(hidden)]
    fn list(self) -> Vec<OwnBranch<'a, T, R>>;
}

mod sealed {
    pub trait Sealed {}
}

impl<F, const N: usize> sealed::Sealed for [F; N] {}

impl<'a, T, R, F, const N: usize> Branches<'a, T, R> for [F; N]
where
    T: Tree + 'a,
    R: Tree + 'a,
    F: FnOnce(T) -> R + 'a,
{
    fn list(self) -> Vec<OwnBranch<'a, T, R>> {
        const { assert!(N > 0, "`switch` needs at least one branch") };
        self.into_iter().map(|f| Box::new(once(f)) as OwnBranch<'a, T, R>).collect()
    }
}

macro_rules! tuples {
    ($(($($F:ident $index:tt),+))*) => {$(
        impl<$($F),+> sealed::Sealed for ($($F,)+) {}

        impl<'a, T, R, $($F),+> Branches<'a, T, R> for ($($F,)+)
        where
            T: Tree + 'a,
            R: Tree + 'a,
            $($F: FnOnce(T) -> R + 'a),+
        {
            fn list(self) -> Vec<OwnBranch<'a, T, R>> {
                vec![$(Box::new(once(self.$index))),+]
            }
        }
    )*};
}
tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}

/// A predicate as one `bool`; numbers are true where they are not zero.
pub(super) fn truth(predicate: &Array, what: &str) -> Array {
    match predicate.ty() {
        Err(_) => predicate.clone(),
        Ok(ty) if ty.rank() == 0 => predicate.cast(DType::Bool),
        Ok(ty) => {
            let error = Error::new(ErrorKind::Shape, format!("{what} one bool, not {ty}"))
                .note("the predicate", Some(predicate.location))
                .help("reduce it with `all` or `any`; `select` chooses element by element");
            Array::invalid(error, here())
        }
    }
}

/// An index as an `i32` scalar within the branches.
fn whole(index: &Array, branches: usize) -> Array {
    let ty = match index.ty() {
        Err(_) => return index.clone(),
        Ok(ty) => ty,
    };
    let integer = !ty.dtype.is_float() && ty.dtype != DType::Bool;
    if ty.rank() == 0 && integer {
        // Wider integers are clamped before they are cut to 32 bits.
        let typed = index.cast(ty.dtype);
        return typed.clip(0, branches.saturating_sub(1) as i32).cast(DType::I32);
    }
    let kind = if integer { ErrorKind::Shape } else { ErrorKind::DType };
    let error = Error::new(kind, format!("`switch` chooses by an integer scalar, not {ty}"))
        .note("the index", Some(index.location))
        .help("reduce or index it first; convert with `.cast(DType::I32)`");
    Array::invalid(error, here())
}

fn run(
    location: Loc,
    name: &str,
    index: Array,
    operands: Flat,
    names: &[String],
    branches: &[Branch<'_>],
) -> Flat {
    let types: Result<Vec<ArrayType>> = operands.leaves.iter().map(Array::ty).collect();
    let types = match types {
        Ok(types) => types,
        // The structure of the result is what a branch gives on arrays that carry the error.
        Err(error) => {
            return match branches.first() {
                Some(branch) => {
                    branch(operands.spoiled(&error, location)).spoiled(&error, location)
                }
                // The trait is sealed, and empty arrays do not compile.
                None => unreachable!("`Branches` has at least one"),
            };
        }
    };
    let taken = arguments(&operands.leaves, &types);
    let mut traced = Vec::new();
    let mut structures: Vec<Structure> = Vec::new();
    for branch in branches {
        let (graph, out) = trace_open(location, &taken, |arguments| {
            let (leaves, structure) = (arguments.to_vec(), operands.structure.clone());
            let result = branch(Flat { leaves, structure });
            (result.leaves, result.structure)
        });
        traced.push(graph);
        structures.push(out);
    }
    let outputs = traced.into_iter().collect::<Result<Vec<Open>>>().and_then(|mut opens| {
        let dtypes = settle(&mut opens, &taken);
        let traced: Vec<Traced> = opens.into_iter().map(|open| open.close(&dtypes)).collect();
        let given = decided(&operands.leaves, &dtypes);
        check_results(name, names, &traced, &structures)?;
        let (branches, captures) = with_equal_inputs(traced);
        let operands: Vec<&Array> =
            std::iter::once(&index).chain(&given).chain(&captures).collect();
        let op = Op::Switch(Switch { branches });
        Ok::<Outputs, Error>(with_location(location, || bind(op, &operands)))
    });
    let structure = structures.swap_remove(0);
    match outputs {
        Ok(outputs) => Flat::new(structure, outputs.into_vec(), location),
        Err(error) => Flat::invalid(&structure, &error, location),
    }
}

/// The element types of what all branches take. A result that has none in one branch takes that
/// which it has in another.
fn settle(branches: &mut [Open], arguments: &[Argument]) -> Vec<DType> {
    let results = branches.iter().map(Open::outputs).min().unwrap_or(0);
    for k in 0..results {
        let types: Vec<(DType, bool)> =
            branches.iter().map(|b| b.output(k)).map(|(ty, open)| (ty.dtype, open)).collect();
        let typed = types.iter().find(|(_, open)| !open);
        let wide = types.iter().find(|(dtype, _)| *dtype == DType::F64);
        let float = types.iter().find(|(dtype, _)| dtype.is_float());
        if let Some((dtype, _)) = typed.or(wide).or(float).or(types.first()) {
            branches.iter_mut().for_each(|branch| branch.decide(k, *dtype));
        }
    }
    branches.iter_mut().for_each(Open::decide_rest);
    let asked: Vec<_> = branches.iter().map(Open::asked).collect();
    let of = |(i, argument): (usize, &Argument)| match argument {
        Argument::Typed(ty) => ty.dtype,
        Argument::Weak { default, .. } => {
            let all: Vec<DType> = asked.iter().flat_map(|asked| asked[i].iter().copied()).collect();
            one_of(&all, *default)
        }
    };
    arguments.iter().enumerate().map(of).collect()
}

/// All branches give one structure and one list of types.
fn check_results(
    name: &str,
    names: &[String],
    traced: &[Traced],
    structures: &[Structure],
) -> Result<()> {
    let (first, structure) = (&traced[0].graph, &structures[0]);
    for (i, other) in structures.iter().enumerate().skip(1) {
        if other != structure {
            let message = format!(
                "the branches of `{name}` give different structures: {} has {} and {} has {}",
                names[0],
                listed(structure),
                names[i],
                listed(other)
            );
            return Err(
                Error::new(ErrorKind::Tree, message).help("give the same tree from every branch")
            );
        }
        let graph = &traced[i].graph;
        for (k, (want, have)) in first.output_types().zip(graph.output_types()).enumerate() {
            if want == have {
                continue;
            }
            let kind = if want.dtype == have.dtype { ErrorKind::Shape } else { ErrorKind::DType };
            let message = format!(
                "the result{} of `{name}` is {want} in {} and {have} in {}",
                leaf_name(structure, k),
                names[0],
                names[i]
            );
            let mut error = Error::new(kind, message);
            for (graph, name) in [(first, &names[0]), (graph, &names[i])] {
                if let Some(location) = made(graph, k) {
                    error = error.note(format!("in {name} it comes"), Some(location));
                }
            }
            return Err(error.help("all branches give the same types; see `reshape` and `cast`"));
        }
    }
    Ok(())
}

/// The branches with the captures of all of them as inputs, and those captures.
fn with_equal_inputs(traced: Vec<Traced>) -> (Vec<Arc<Graph>>, Vec<Array>) {
    let same = |a: &Array, b: &Array| match (&a.repr, &b.repr) {
        (Repr::Traced(a), Repr::Traced(b)) => a.trace == b.trace && a.var == b.var,
        _ => false,
    };
    let mut all: Vec<Array> = Vec::new();
    for array in traced.iter().flat_map(|t| &t.captures) {
        if !all.iter().any(|known| same(known, array)) {
            all.push(array.clone());
        }
    }
    let branches = traced.into_iter().map(|Traced { mut graph, captures }| {
        let own = graph.inputs.split_off(graph.inputs.len() - captures.len());
        for array in &all {
            let var = match captures.iter().position(|c| same(c, array)) {
                Some(i) => own[i],
                None => {
                    graph.types.push(match &array.repr {
                        Repr::Traced(traced) => traced.ty.clone(),
                        _ => unreachable!("only traced arrays are captured"),
                    });
                    VarId(graph.types.len() as u32 - 1)
                }
            };
            graph.inputs.push(var);
        }
        Arc::new(graph)
    });
    (branches.collect(), all)
}
