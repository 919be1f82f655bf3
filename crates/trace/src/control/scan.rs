//! Loops of known length: over the entries of arrays, or counted.

use crate::array::make::fill::arange;
use crate::array::shape::join::{concat, stack};
use crate::context::{here, with_location};
use crate::control::checks::{arguments, check_carry, check_structure, decided, settle};
use crate::error::{Error, ErrorKind, Result};
use crate::flat::{Flat, Shell, once};
use crate::handle::Array;
use crate::op::Op;
use crate::op::control::Scan;
use crate::open::trace_open;
use crate::tracing::{bind, inline, trace};
use crate::tree::Tree;
use crate::types::{ArrayType, Loc, Shape};
use std::sync::Arc;

/// Runs `step` over the leading axis of the leaves of `xs`, carrying a value from step to step
/// and stacking what each step gives beside it. `step` is traced once and may capture outer
/// arrays; the carry keeps its structure and types. See [`ScanOptions`] for other ways to run.
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
    run(here(), ScanOptions::new(), None, init, xs, step)
}

/// [`scan`] from the last entry to the first; stacked results keep their positions.
#[track_caller]
pub fn scan_reverse<C: Tree, X: Tree, Y: Tree>(
    init: C,
    xs: X,
    step: impl FnOnce(C, X) -> (C, Y),
) -> (C, Y) {
    run(here(), ScanOptions::new().reverse(), None, init, xs, step)
}

/// [`scan`] of `n` steps over nothing: `step` takes the carry alone. (`jax.lax.scan` with
/// `xs=None, length=n`) For the number of the step see [`fori_loop`], or carry it.
///
/// ```
/// use probpipe_trace::{array, scan_n};
/// let (last, powers) = scan_n(4, array(1.0), |x| (&x * 2.0, x));
/// assert_eq!(last.item::<f32>()?, 16.0);
/// assert_eq!(powers.to_vec::<f32>()?, [1.0, 2.0, 4.0, 8.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn scan_n<C: Tree, Y: Tree>(n: usize, init: C, step: impl FnOnce(C) -> (C, Y)) -> (C, Y) {
    ScanOptions::new().scan_n(n, init, step)
}

/// Applies `f` to every entry along the leading axis of the leaves of `xs`, one after the other,
/// and stacks the results. Takes the memory of one entry at a time, where `vmap` does all at once.
///
/// ```
/// use probpipe_trace::{array, map};
/// let norms = map(|row| row.square().sum().sqrt(), array([[3.0, 4.0], [0.0, 2.0]]));
/// assert_eq!(norms.to_vec::<f32>()?, [5.0, 2.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn map<X: Tree, Y: Tree>(f: impl FnOnce(X) -> Y, xs: X) -> Y {
    run(here(), ScanOptions::new(), None, (), xs, |(), x| ((), f(x))).1
}

/// Runs `step(i, state)` for `i` in `0..n` (an `i32` scalar) and gives the last state. For bounds
/// that are arrays see [`crate::fori_loop_dynamic`].
///
/// ```
/// use probpipe_trace::{array, fori_loop};
/// let doubled = fori_loop(10, array([1.0]), |_, x| x * 2.0);
/// assert_eq!(doubled.item::<f32>()?, 1024.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn fori_loop<C: Tree>(n: usize, init: C, step: impl FnOnce(Array, C) -> C) -> C {
    let location = here();
    let step = |state, i: Array| (step(i, state), ());
    run(location, ScanOptions::new(), None, init, arange(n), step).0
}

/// How a [`scan`] runs.
///
/// ```
/// use probpipe_trace::{ScanOptions, array};
/// let backwards = ScanOptions::new().reverse().unroll(2);
/// let (_, tails) = backwards.scan(array([0.0]), array([1.0, 2.0, 3.0]), |sum, x| {
///     let sum = sum + x;
///     (sum.clone(), sum)
/// });
/// assert_eq!(tails.to_vec::<f32>()?, [6.0, 5.0, 3.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ScanOptions {
    reverse: bool,
    unroll: usize,
}

impl Default for ScanOptions {
    fn default() -> ScanOptions {
        ScanOptions::new()
    }
}

impl ScanOptions {
    /// From the first entry to the last, one step at a time: what [`scan`] does.
    pub fn new() -> ScanOptions {
        ScanOptions { reverse: false, unroll: 1 }
    }

    /// From the last entry to the first; stacked results keep their positions.
    pub fn reverse(self) -> ScanOptions {
        ScanOptions { reverse: true, ..self }
    }

    /// Writes this many steps into one turn of the loop; with as many as there are entries no loop
    /// is left. The result is the same; 0 counts as 1.
    pub fn unroll(self, steps: usize) -> ScanOptions {
        ScanOptions { unroll: steps.max(1), ..self }
    }

    /// Runs as [`scan`].
    #[track_caller]
    pub fn scan<C: Tree, X: Tree, Y: Tree>(
        self,
        init: C,
        xs: X,
        step: impl FnOnce(C, X) -> (C, Y),
    ) -> (C, Y) {
        run(here(), self, None, init, xs, step)
    }

    /// Runs as [`scan_n`]: `n` steps over nothing.
    #[track_caller]
    pub fn scan_n<C: Tree, Y: Tree>(
        self,
        n: usize,
        init: C,
        step: impl FnOnce(C) -> (C, Y),
    ) -> (C, Y) {
        run(here(), self, Some(n), init, (), |carry, ()| step(carry))
    }
}

/// A step on trees taken apart: carry and entry to carry and what is stacked.
type Step<'a> = &'a mut dyn FnMut(Flat, Flat) -> [Flat; 2];

fn run<C: Tree, X: Tree, Y: Tree>(
    location: Loc,
    options: ScanOptions,
    length: Option<usize>,
    init: C,
    xs: X,
    step: impl FnOnce(C, X) -> (C, Y),
) -> (C, Y) {
    let step = once(|(carry, x)| step(carry, x));
    stepped(location, options, length, (init, xs), &step)
}

fn stepped<C: Tree, X: Tree, Y: Tree>(
    location: Loc,
    options: ScanOptions,
    length: Option<usize>,
    start: (C, X),
    f: &dyn Fn((C, X)) -> (C, Y),
) -> (C, Y) {
    let (init, xs) = (Flat::of(&start.0), Flat::of(&start.1));
    let shell = Shell::new(location, start);
    let step = &mut |carry: Flat, x: Flat| shell.on_pair(f, carry, x);
    let [carry, ys] = looped(location, options, length, init, xs, step);
    shell.result(f, carry.pair(ys))
}

fn looped(
    location: Loc,
    options: ScanOptions,
    length: Option<usize>,
    init: Flat,
    xs: Flat,
    step: Step<'_>,
) -> [Flat; 2] {
    let (types, length) = match step_types(length, &init.leaves, &xs.leaves) {
        Ok(found) => found,
        // The structure of the result is what the step gives on arrays that carry the error.
        Err(error) => {
            let bad = |flat: &Flat| flat.spoiled(&error, location);
            return step(bad(&init), bad(&xs)).map(|out| bad(&out));
        }
    };
    let carries = init.leaves.len();
    let leaves: Vec<Array> = init.leaves.iter().chain(&xs.leaves).cloned().collect();
    let given = arguments(&leaves, &types);
    let (traced, [out_structure, y_structure]) = trace_open(location, &given, |arguments| {
        let (carry, x) = arguments.split_at(carries);
        let flat = |leaves: &[Array], like: &Flat| Flat {
            leaves: leaves.to_vec(),
            structure: like.structure.clone(),
        };
        let [mut carry, y] = step(flat(carry, &init), flat(x, &xs));
        carry.leaves.extend(y.leaves);
        (carry.leaves, [carry.structure, y.structure])
    });

    let outputs = traced.and_then(|mut open| {
        check_structure(&init.structure, &out_structure)?;
        let dtypes = settle(&mut open, None, &given, carries);
        let operands = decided(&leaves, &dtypes);
        let mut traced = open.close(&dtypes);
        check_carry(&traced.graph, 0, &operands[..carries], &init.structure)?;
        // Captures come first among the inputs of a scan.
        let consts = traced.captures.len();
        traced.graph.inputs.rotate_right(consts);
        let reverse = options.reverse;
        let scan = Scan { body: Arc::new(traced.graph), consts, carries, length, reverse };
        let operands = traced.captures.into_iter().chain(operands).collect();
        with_location(location, || unrolled(scan, operands, options.unroll))
    });
    match outputs {
        Ok(mut carry) => {
            let ys = carry.split_off(carries);
            [Flat::new(out_structure, carry, location), Flat::new(y_structure, ys, location)]
        }
        Err(error) => [&out_structure, &y_structure]
            .map(|structure| Flat::invalid(structure, &error, location)),
    }
}

/// The loop with `unroll` steps in each turn; steps left over stand before or after it.
fn unrolled(scan: Scan, operands: Vec<Array>, unroll: usize) -> Result<Vec<Array>> {
    let unroll = unroll.min(scan.length);
    if unroll <= 1 {
        let operands: Vec<&Array> = operands.iter().collect();
        return Ok(bind(Op::Scan(scan), &operands).into_vec());
    }
    let turns = scan.length / unroll;
    let whole = turns * unroll;
    let (consts, rest) = operands.split_at(scan.consts);
    let (init, xs) = rest.split_at(scan.carries);
    let entries = |from: usize, to: usize| -> Vec<Array> {
        xs.iter().map(|x| x.slice_axis(0, from..to)).collect()
    };

    let main = |init: Vec<Array>| -> Result<(Vec<Array>, Vec<Array>)> {
        if turns == 1 {
            return Ok(steps(&scan, consts, init, &entries(0, whole), unroll));
        }
        let blocks = xs.iter().zip(entries(0, whole)).map(|(x, part)| {
            let shape: Shape = [turns, unroll].iter().chain(&x.shape()[1..]).copied().collect();
            part.reshape(shape)
        });
        let operands: Vec<Array> = consts.iter().cloned().chain(init).chain(blocks).collect();
        let first = scan.consts + scan.carries;
        let types: Vec<ArrayType> = operands
            .iter()
            .enumerate()
            .map(|(i, a)| {
                let mut ty = a.ty()?;
                if i >= first {
                    ty.shape.remove(0);
                }
                Ok(ty)
            })
            .collect::<Result<_>>()?;
        let traced = trace(&types, |arguments| {
            let (consts, rest) = arguments.split_at(scan.consts);
            let (carries, xs) = rest.split_at(scan.carries);
            let (mut out, ys) = steps(&scan, consts, carries.to_vec(), xs, unroll);
            out.extend(ys);
            out
        })?;
        let turn = Scan { body: Arc::new(traced.graph), length: turns, ..scan.clone() };
        let operands: Vec<&Array> = operands.iter().collect();
        let mut out = bind(Op::Scan(turn), &operands).into_vec();
        let ys = out.split_off(scan.carries).into_iter().map(|y| {
            let shape: Shape =
                std::iter::once(whole).chain(y.shape().iter().skip(2).copied()).collect();
            y.reshape(shape)
        });
        let ys = ys.collect();
        Ok((out, ys))
    };
    let left = scan.length - whole;
    let others = |init: Vec<Array>| steps(&scan, consts, init, &entries(whole, scan.length), left);
    let init = init.to_vec();
    let (mut out, first, last) = match (left, scan.reverse) {
        (0, _) => {
            let (out, ys) = main(init)?;
            return Ok(out.into_iter().chain(ys).collect());
        }
        // The entries left over are the last ones, which a reversed loop meets first.
        (_, true) => {
            let (carries, last) = others(init);
            let (out, first) = main(carries)?;
            (out, first, last)
        }
        (_, false) => {
            let (carries, first) = main(init)?;
            let (out, last) = others(carries);
            (out, first, last)
        }
    };
    out.extend(first.into_iter().zip(last).map(|(a, b)| concat(&[a, b], 0)));
    Ok(out)
}

/// `count` steps written out: the last carries, and the stacked outputs.
fn steps(
    scan: &Scan,
    consts: &[Array],
    mut carries: Vec<Array>,
    xs: &[Array],
    count: usize,
) -> (Vec<Array>, Vec<Array>) {
    let mut ys: Vec<Vec<Array>> = vec![Vec::new(); scan.ys()];
    for step in 0..count {
        let at = if scan.reverse { count - 1 - step } else { step };
        let entry = xs.iter().map(|x| x.at(at as isize));
        let inputs: Vec<Array> = consts.iter().cloned().chain(carries).chain(entry).collect();
        carries = inline(&scan.body, &inputs);
        for (list, y) in ys.iter_mut().zip(carries.split_off(scan.carries)) {
            list.push(y);
        }
    }
    let stacked = ys.into_iter().map(|mut list| {
        if scan.reverse {
            list.reverse();
        }
        stack(&list, 0)
    });
    (carries, stacked.collect())
}

/// Types of a step's arguments, and the number of steps, which `length` gives where there is
/// nothing to run over.
fn step_types(
    length: Option<usize>,
    carry: &[Array],
    xs: &[Array],
) -> Result<(Vec<ArrayType>, usize)> {
    let mut types = carry.iter().map(|a| a.ty()).collect::<Result<Vec<_>>>()?;
    let mut found: Option<(usize, &Array)> = None;
    for x in xs {
        let mut ty = x.ty()?;
        if ty.rank() == 0 {
            return Err(Error::new(ErrorKind::Shape, "`scan` runs over arrays, not scalars")
                .note(format!("operand {ty}"), Some(x.location))
                .help("capture values that are the same in every step"));
        }
        let n = ty.shape.remove(0);
        match found {
            Some((m, first)) if m != n => {
                return Err(Error::new(
                    ErrorKind::Shape,
                    format!("`scan` over arrays of {m} and of {n} entries"),
                )
                .note(format!("operand {}", first.ty()?), Some(first.location))
                .note(format!("operand {}", x.ty()?), Some(x.location))
                .help("the leading axes of all scanned arrays must be equal"));
            }
            _ => found = Some((n, x)),
        }
        types.push(ty);
    }
    match length.or(found.map(|(n, _)| n)) {
        Some(n) => Ok((types, n)),
        None => Err(Error::new(ErrorKind::Value, "`scan` over nothing has no number of steps")
            .help("say how many with `scan_n`, or scan over an array")),
    }
}
