//! Loops as part of a program: the body is traced once, outer arrays that it uses are captured.

use crate::array::arange;
use crate::op::{Op, Scan};
use crate::tracing::{bind, here, trace_with};
use crate::tree::{Flatten, Structure, Tree};
use crate::{Array, ArrayType, Error, ErrorKind, Loc, Result};
use std::sync::Arc;

/// Runs `step` over the leading axis of the leaves of `xs`, carrying a value from step to step
/// and stacking what each step gives beside it. `step` is traced once and may capture outer
/// arrays; the carry keeps its structure and types.
///
/// ```
/// use probpipe_trace::{array, scan};
/// let (total, partial) = scan(array(0.0f32).cast(probpipe_trace::DType::F32),
///     array([1.0, 2.0, 3.0]), |sum, x| (&sum + &x, sum + x));
/// assert_eq!(total.item::<f32>()?, 6.0);
/// assert_eq!(partial.to_vec::<f32>()?, [1.0, 3.0, 6.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn scan<C: Tree, X: Tree, Y: Tree>(
    init: C,
    xs: X,
    step: impl FnOnce(C, X) -> (C, Y),
) -> (C, Y) {
    run(here(), false, init, xs, step)
}

/// [`scan`] from the last entry to the first; stacked results keep their positions.
#[track_caller]
pub fn scan_reverse<C: Tree, X: Tree, Y: Tree>(
    init: C,
    xs: X,
    step: impl FnOnce(C, X) -> (C, Y),
) -> (C, Y) {
    run(here(), true, init, xs, step)
}

/// Runs `step(i, state)` for `i` in `0..n` (an `i32` scalar) and gives the last state.
///
/// ```
/// use probpipe_trace::{array, fori_loop};
/// let doubled = fori_loop(10, array([1.0]), |_, x| x * 2.0);
/// assert_eq!(doubled.item::<f32>()?, 1024.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn fori_loop<C: Tree>(n: usize, init: C, step: impl FnOnce(Array, C) -> C) -> C {
    run(here(), false, init, arange(n), |state, i| (step(i, state), ())).0
}

fn run<C: Tree, X: Tree, Y: Tree>(
    location: Loc,
    reverse: bool,
    init: C,
    xs: X,
    step: impl FnOnce(C, X) -> (C, Y),
) -> (C, Y) {
    // Literals carry no element type of their own; inside a loop they need one.
    let typed = |a: &Array| crate::with_location(a.location, || a.cast(a.dtype()));
    let init = init.map(|a| if a.is_literal() { typed(a) } else { a.clone() });
    let carry = Flatten::of(&init);
    let scanned = Flatten::of(&xs);
    let (types, length) = match step_types(&carry.leaves, &scanned.leaves, &scanned) {
        Ok(found) => found,
        // The structure of the result is what the step gives on arrays that carry the error.
        Err(error) => {
            let bad = |a: &Array| match a.error() {
                Some(_) => a.clone(),
                None => Array::invalid(error.clone(), location),
            };
            let (c, y) = step(init.map(bad), xs.map(bad));
            return (c.map(bad), y.map(bad));
        }
    };
    let carries = carry.leaves.len();
    let carry_structure = init.structure();
    let xs_structure = xs.structure();

    let (traced, result) = trace_with(location, &types, |arguments| {
        let (c, x) = arguments.split_at(carries);
        match (carry_structure.build(c.to_vec()), xs_structure.build(x.to_vec())) {
            (Ok(c), Ok(x)) => {
                let (c, y) = step(c, x);
                let mut outputs = c.leaves();
                outputs.extend(y.leaves());
                (outputs, Ok((c.structure(), y.structure())))
            }
            (Err(error), _) | (_, Err(error)) => (Vec::new(), Err(error)),
        }
    });
    let (out_structure, y_structure): (Structure, Structure) = match result {
        Ok(structures) => structures,
        // Trees always fit their own structure.
        Err(error) => unreachable!("{error}"),
    };

    let outputs = traced.and_then(|mut traced| {
        if out_structure != carry_structure {
            return Err(Error::new(
                ErrorKind::Tree,
                format!(
                    "the loop's carry changes structure: it has {} before a step and {} after",
                    listed(&carry_structure),
                    listed(&out_structure)
                ),
            )
            .help("give back a carry of the structure that the step takes"));
        }
        check_carry(&traced.graph, &carry.leaves, &types[..carries], &carry_structure)?;
        // Captures come first among the inputs of a scan.
        let consts = traced.captures.len();
        traced.graph.inputs.rotate_right(consts);
        let scan = Scan { body: Arc::new(traced.graph), consts, carries, length, reverse };
        let operands: Vec<&Array> = traced
            .captures
            .iter()
            .chain(carry.leaves.iter().copied())
            .chain(scanned.leaves.iter().copied())
            .collect();
        Ok(crate::with_location(location, || bind(Op::Scan(scan), &operands)))
    });
    let rebuilt = match outputs {
        Ok(outputs) => {
            let mut outputs = outputs.into_vec();
            let ys = outputs.split_off(carries);
            out_structure.build(outputs).and_then(|c| Ok((c, y_structure.build(ys)?)))
        }
        Err(error) => out_structure
            .invalid(&error, location)
            .and_then(|c| Ok((c, y_structure.invalid(&error, location)?))),
    };
    match rebuilt {
        Ok(pair) => pair,
        Err(error) => unreachable!("{error}"),
    }
}

/// Types of a step's arguments, and the number of steps.
fn step_types(
    carry: &[&Array],
    xs: &[&Array],
    flat: &Flatten<'_>,
) -> Result<(Vec<ArrayType>, usize)> {
    let mut types = carry.iter().map(|a| a.ty()).collect::<Result<Vec<_>>>()?;
    let mut length: Option<(usize, &Array)> = None;
    for x in xs {
        let mut ty = x.ty()?;
        if ty.rank() == 0 {
            return Err(Error::new(ErrorKind::Shape, "`scan` runs over arrays, not scalars")
                .note(format!("operand {ty}"), Some(x.location))
                .help("capture values that are the same in every step"));
        }
        let n = ty.shape.remove(0);
        match length {
            Some((m, first)) if m != n => {
                return Err(Error::new(
                    ErrorKind::Shape,
                    format!("`scan` over arrays of {m} and of {n} entries"),
                )
                .note(format!("operand {}", first.ty()?), Some(first.location))
                .note(format!("operand {}", x.ty()?), Some(x.location))
                .help("the leading axes of all scanned arrays must be equal"));
            }
            _ => length = Some((n, x)),
        }
        types.push(ty);
    }
    debug_assert_eq!(flat.leaves.len(), xs.len());
    match length {
        Some((n, _)) => Ok((types, n)),
        None => Err(Error::new(ErrorKind::Value, "`scan` over nothing has no number of steps")
            .help("scan over an array, or use `fori_loop`")),
    }
}

/// The leaves of a structure, for messages.
fn listed(structure: &Structure) -> String {
    match &structure.paths()[..] {
        [] => "no leaves".to_string(),
        [path] if path.is_empty() => "one leaf".to_string(),
        paths => format!("leaves `{}`", paths.join("`, `")),
    }
}

fn check_carry(
    graph: &crate::Graph,
    init: &[&Array],
    before: &[ArrayType],
    structure: &Structure,
) -> Result<()> {
    for (i, (want, have)) in before.iter().zip(graph.output_types()).enumerate() {
        if want != have {
            let leaf = match structure.paths().get(i).map(String::as_str) {
                None | Some("") => String::new(),
                Some(path) => format!(" leaf `{path}`"),
            };
            let kind = if want.dtype == have.dtype { ErrorKind::Shape } else { ErrorKind::DType };
            let message =
                format!("the loop's carry{leaf} starts as {want} and ends a step as {have}");
            let output = graph.outputs()[i];
            let made = graph.eqns().iter().find(|e| e.outputs.contains(&output));
            let error = Error::new(kind, message).note("it starts", Some(init[i].location));
            let error = match made {
                Some(eqn) => error.note("it ends a step", Some(eqn.location)),
                None => error,
            };
            return Err(error.help(
                "a step must give back carries of the types it takes; see `reshape` and `cast`",
            ));
        }
    }
    Ok(())
}
