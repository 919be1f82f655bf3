//! Solutions of equations, differentiated by the equation that they solve and not through the
//! steps of the solver: the implicit function theorem.

use super::lift::{
    Function, Lifted, check_floats, lift, lift_or_invalid, lift_plain, own_types, run,
    transform_error,
};
use super::linear::Point;
use crate::extract::reorder_inputs;
use crate::jvp::jvp_arrays;
use crate::transpose::transpose;
use probpipe_trace::{
    Array, ArrayType, Custom, CustomRule, Flat, Graph, Loc, Op, Outputs, Result, Sparse, Structure,
    Tree, bind, inline, on_flat, trace, with_location, zeros_like,
};
use std::panic::Location;
use std::sync::Arc;

/// A linear map or a function, as solvers take it.
type Map<'a, X> = &'a dyn Fn(X) -> X;

/// `x` with `f(x) = 0`, as `solve(f, guess)` finds it. Its derivative by the arrays that `f` takes
/// from around it is `-J^-1 df`, with `J` the derivative of `f` at the solution:
/// `tangent_solve(g, y)` gives `x` with `g(x) = y` for the linear map `g` of `J`. It must be linear
/// in `y` for reverse mode. The guess has no derivative. (`jax.lax.custom_root`)
///
/// ```
/// use probpipe_trace::{Array, array, fori_loop};
/// use probpipe_transforms::{custom_root, grad};
/// let root = |a: Array| {
///     let newton = |f: &dyn Fn(Array) -> Array, x: Array| {
///         fori_loop(20, x, |_, x| &x - f(x.clone()) / (&x * 2.0))
///     };
///     let f = |x: Array| x.square() - &a;
///     custom_root(f, array(1.0), newton, |g, y| &y / g(array(1.0)))
/// };
/// assert!((root(array(9.0)).item::<f32>()? - 3.0).abs() < 1e-6);
/// assert!((grad(root)(array(9.0)).item::<f32>()? - 1.0 / 6.0).abs() < 1e-6);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn custom_root<X: Tree>(
    f: impl Fn(X) -> X,
    guess: X,
    solve: impl Fn(Map<'_, X>, X) -> X,
    tangent_solve: impl Fn(Map<'_, X>, X) -> X,
) -> X {
    let location = Location::caller();
    let (solve, tangent_solve) = (solver(location, &solve), solver(location, &tangent_solve));
    let (f, x) = (on_flat(location, &f), Flat::of(&guess));
    root(location, &f, &x, &solve, &tangent_solve).put_in(guess, location)
}

/// A linear map or a function on leaves, and who solves it, as [`Map`] is solved.
type Solver<'a> = &'a dyn Fn(Function<'_>, Flat) -> Flat;

fn solver<X: Tree>(
    location: Loc,
    solve: &impl Fn(Map<'_, X>, X) -> X,
) -> impl Fn(Function<'_>, Flat) -> Flat {
    move |map, x| {
        let map = |x: X| map(Flat::of(&x)).put_in(x, location);
        on_flat(location, &|x| solve(&map, x))(x)
    }
}

fn root(
    location: Loc,
    f: Function<'_>,
    guess: &Flat,
    solve: Solver<'_>,
    tangent_solve: Solver<'_>,
) -> Flat {
    solved(location, guess, &|x| solve(f, x), &|guess, solution| {
        root_op(location, f, guess, solution, tangent_solve)
    })
}

/// An op and its operands.
type Prepared = Result<(Custom, Vec<Array>)>;

/// What solves for `x`, as an op that `op` makes of the solver's graph and of `x` in the types that
/// the solver found for what has none.
fn solved(
    location: Loc,
    x: &Flat,
    solve: Function<'_>,
    op: &dyn Fn(&Flat, Lifted) -> Prepared,
) -> Flat {
    let solution = match lift_or_invalid(location, x, solve) {
        Ok(lifted) => lifted,
        Err(invalid) => return *invalid,
    };
    let x = Flat { leaves: solution.arguments().to_vec(), structure: solution.input.clone() };
    let output = solution.output.clone();
    finish(op(&x, solution), output, location)
}

/// The op of [`custom_root`] and its operands: the arrays that `f`, the solver and the tangent's
/// solver take from around them, then the guess.
fn root_op(
    location: Loc,
    f: Function<'_>,
    guess: &Flat,
    solution: Lifted,
    tangent_solve: Solver<'_>,
) -> Prepared {
    let name = "custom_root";
    same_kind(name, "the solver", &solution, location)?;
    let function = lift(location, guess, f, &mut |leaves, structure| {
        check_floats(name, leaves, structure, location)?;
        own_types(leaves, structure)
    });
    let function = function.map_err(|failure| failure.error)?;
    same_kind(name, "the function", &function, location)?;
    let n = function.arguments;
    let pair = Flat::of(&[&guess.leaves[..], &guess.leaves].concat());
    let tangent = lift_plain(location, &pair, &|pair| {
        let flat =
            |leaves: &[Array]| Flat { leaves: leaves.to_vec(), structure: guess.structure.clone() };
        let (x, y) = pair.leaves.split_at(n);
        let (_, point) = Point::at(name, location, f, &flat(x));
        tangent_solve(&|dx| point.push(&dx), flat(y))
    });
    let tangent = tangent.map_err(|failure| failure.error)?;
    if tangent.output != solution.output {
        return Err(other_structure(name, "the tangent's solver", location));
    }
    let rule = Root {
        function: Arc::new(function.graph),
        tangent: Arc::new(tangent.graph),
        captures: [
            function.operands.len() - n,
            solution.operands.len() - n,
            tangent.operands.len() - 2 * n,
        ],
    };
    let [a, b, _] = rule.captures;
    let mut operands = function.operands[n..].to_vec();
    operands.extend_from_slice(&solution.operands[n..]);
    operands.extend_from_slice(&tangent.operands[2 * n..]);
    operands.extend_from_slice(&solution.operands[..n]);
    let graph = trace(&types(&operands)?, |x| {
        let mut inputs = x[x.len() - n..].to_vec();
        inputs.extend_from_slice(&x[a..a + b]);
        inline(&solution.graph, &inputs)
    })?;
    Ok((Custom { graph: Arc::new(graph.graph), rule: Arc::new(rule) }, operands))
}

/// The rule of a root.
#[derive(Debug)]
struct Root {
    /// (x, arrays from around) to f(x).
    function: Arc<Graph>,
    /// (x, y, arrays from around) to the tangent that `f` at `x` takes to `y`.
    tangent: Arc<Graph>,
    /// Numbers of arrays from around of the function, the solver and the tangent's solver.
    captures: [usize; 3],
}

impl CustomRule for Root {
    fn name(&self) -> &'static str {
        "custom_root"
    }

    /// `f(x, p) = 0`, so `dx = -J^-1 (df/dp dp)`.
    fn jvp(&self, op: &Custom, x: &[&Array], dx: &[Option<&Array>]) -> Result<(Outputs, Sparse)> {
        let [a, b, c] = self.captures;
        let solution = bind(Op::Custom(op.clone()), x);
        let n = solution.len();
        let mut at: Vec<Array> = solution.to_vec();
        at.extend(x[..a].iter().map(|&x| x.clone()));
        let mut moving: Sparse = vec![None; n];
        moving.extend(dx[..a].iter().map(|dx| dx.cloned()));
        let (_, rhs) = jvp_arrays(&self.function, &at, moving);
        if rhs.iter().all(Option::is_none) {
            return Ok((solution, rhs));
        }
        let mut operands: Vec<Array> = solution.to_vec();
        operands.extend(filled(rhs, &solution));
        operands.extend(x[a + b..a + b + c].iter().map(|&x| x.clone()));
        let moved = inline(&self.tangent, &operands);
        Ok((solution, moved.into_iter().map(|dx| Some(-dx)).collect()))
    }
}

/// `x` with `matvec(x) = b`, as `solve(matvec, b)` finds it, for a linear `matvec`. It is
/// differentiated as the solution that it is, in `b` and in the arrays that `matvec` takes from
/// around it: `dx` solves `matvec(dx) = db - dmatvec(x)`, and reverse mode calls
/// `transpose_solve(vecmat, ct)` with the transpose of `matvec`. If `matvec` is symmetric, that is
/// `solve` itself. (`jax.lax.custom_linear_solve`)
///
/// ```
/// use probpipe_trace::{Array, array, fori_loop, zeros_like};
/// use probpipe_transforms::{custom_linear_solve, grad};
/// let solution = |a: Array| {
///     // Richardson's iteration.
///     let solve = |map: &dyn Fn(Array) -> Array, b: Array| {
///         fori_loop(60, zeros_like(&b), |_, x| &x + (&b - map(x.clone())) * 0.5)
///     };
///     let x = custom_linear_solve(|x: Array| x * &a, array([1.0, 2.0]), solve, solve);
///     x.sum()
/// };
/// let a = array([1.0, 2.0]);
/// assert!((solution(a.clone()).item::<f32>()? - 2.0).abs() < 1e-5);
/// let slope = grad(solution)(a).to_vec::<f32>()?;
/// assert!((slope[0] + 1.0).abs() < 1e-5 && (slope[1] + 0.5).abs() < 1e-5);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn custom_linear_solve<B: Tree>(
    matvec: impl Fn(B) -> B,
    b: B,
    solve: impl Fn(Map<'_, B>, B) -> B,
    transpose_solve: impl Fn(Map<'_, B>, B) -> B,
) -> B {
    let location = Location::caller();
    let (solve, transpose_solve) = (solver(location, &solve), solver(location, &transpose_solve));
    let (matvec, x) = (on_flat(location, &matvec), Flat::of(&b));
    linear_solve(location, &matvec, &x, &solve, &transpose_solve).put_in(b, location)
}

fn linear_solve(
    location: Loc,
    matvec: Function<'_>,
    b: &Flat,
    solve: Solver<'_>,
    transpose_solve: Solver<'_>,
) -> Flat {
    solved(location, b, &|b| solve(matvec, b), &|b, solution| {
        linear_solve_op(location, matvec, b, solution, transpose_solve)
    })
}

/// The op of [`custom_linear_solve`] and its operands: the arrays that the map and the two solvers
/// take from around them, then the right side.
fn linear_solve_op(
    location: Loc,
    matvec: Function<'_>,
    b: &Flat,
    solution: Lifted,
    transpose_solve: Solver<'_>,
) -> Prepared {
    let name = "custom_linear_solve";
    same_kind(name, "the solver", &solution, location)?;
    let map = lift(location, b, matvec, &mut |leaves, structure| {
        check_floats(name, leaves, structure, location)?;
        own_types(leaves, structure)
    });
    let map = map.map_err(|failure| failure.error)?;
    same_kind(name, "the linear map", &map, location)?;
    let n = map.arguments;
    let around = map.operands[n..].to_vec();
    let transposed =
        with_location(location, || transpose(&map.graph, &map.with_captures(&vec![true; n])))
            .map_err(|error| error.note(format!("`{name}` was called"), Some(location)))?;
    let vecmat = |ct: Flat| {
        if ct.structure != map.input {
            let error = other_structure(name, "a cotangent", location);
            return Flat::invalid(&ct.structure, &error, location);
        }
        let mut operands = around.clone();
        operands.extend(ct.leaves);
        Flat::new(ct.structure, run(location, &transposed, &operands), location)
    };
    let back = lift_plain(location, b, &|ct| transpose_solve(&vecmat, ct));
    let back = back.map_err(|failure| failure.error)?;
    same_kind(name, "the transposed solver", &back, location)?;

    let order: Vec<usize> = (around.len()..around.len() + n).chain(0..around.len()).collect();
    let mut operands = around.clone();
    operands.extend_from_slice(&solution.operands[n..]);
    operands.extend_from_slice(&back.operands[n..]);
    operands.extend_from_slice(&solution.operands[..n]);
    let rule = LinearSolve {
        map: Arc::new(map.graph.clone()),
        transposed: Arc::new(reorder_inputs(&transposed, &order)?),
        solve: Arc::new(solution.graph),
        transpose_solve: Arc::new(back.graph),
        captures: [around.len(), solution.operands.len() - n, back.operands.len() - n],
    };
    Ok((rule.op(&types(&operands)?)?, operands))
}

/// The rule of the solution of a linear system.
#[derive(Clone, Debug)]
struct LinearSolve {
    /// (x, arrays from around) to the right side.
    map: Arc<Graph>,
    /// The same of the transposed map.
    transposed: Arc<Graph>,
    /// (right side, arrays from around) to the solution.
    solve: Arc<Graph>,
    /// The same of the transposed system.
    transpose_solve: Arc<Graph>,
    /// Numbers of arrays from around of the map, the solver and the transposed solver.
    captures: [usize; 3],
}

impl LinearSolve {
    /// The op on operands of the given types: the arrays from around, then the right side.
    fn op(self, types: &[ArrayType]) -> Result<Custom> {
        let [a, b, c] = self.captures;
        let graph = trace(types, |x| {
            let mut inputs = x[a + b + c..].to_vec();
            inputs.extend_from_slice(&x[a..a + b]);
            inline(&self.solve, &inputs)
        })?;
        Ok(Custom { graph: Arc::new(graph.graph), rule: Arc::new(self) })
    }

    /// The transposed system.
    fn flipped(&self) -> LinearSolve {
        let [a, b, c] = self.captures;
        LinearSolve {
            map: self.transposed.clone(),
            transposed: self.map.clone(),
            solve: self.transpose_solve.clone(),
            transpose_solve: self.solve.clone(),
            captures: [a, c, b],
        }
    }
}

impl CustomRule for LinearSolve {
    fn name(&self) -> &'static str {
        "custom_linear_solve"
    }

    /// `A x = b`, so `A dx = db - dA x`.
    fn jvp(&self, op: &Custom, x: &[&Array], dx: &[Option<&Array>]) -> Result<(Outputs, Sparse)> {
        let [a, b, c] = self.captures;
        let right = a + b + c;
        let solution = bind(Op::Custom(op.clone()), x);
        let mut rhs: Sparse = dx[right..].iter().map(|dx| dx.cloned()).collect();
        if dx[..a].iter().any(Option::is_some) {
            let mut at: Vec<Array> = solution.to_vec();
            at.extend(x[..a].iter().map(|&x| x.clone()));
            let mut moving: Sparse = vec![None; solution.len()];
            moving.extend(dx[..a].iter().map(|dx| dx.cloned()));
            let (_, moved) = jvp_arrays(&self.map, &at, moving);
            let pairs = rhs.into_iter().zip(moved);
            rhs = pairs.map(|(db, dax)| crate::jvp::add(db, dax.map(|d| -d))).collect();
        }
        if rhs.iter().all(Option::is_none) {
            return Ok((solution, rhs));
        }
        let mut operands: Vec<Array> = x[..right].iter().map(|&x| x.clone()).collect();
        operands.extend(filled(rhs, &solution));
        let moved = bind(Op::Custom(op.clone()), &operands.iter().collect::<Vec<_>>());
        Ok((solution, moved.into_iter().map(Some).collect()))
    }

    /// The transposed system, solved for the cotangent.
    fn transpose(
        &self,
        op: &Custom,
        values: &[Option<Array>],
        cts: &[Option<Array>],
    ) -> Option<Result<Sparse>> {
        let [a, b, c] = self.captures;
        let around: Vec<Array> = values[..a + b + c].iter().cloned().collect::<Option<_>>()?;
        let mut operands = around[..a].to_vec();
        operands.extend_from_slice(&around[a + b..]);
        operands.extend_from_slice(&around[a..a + b]);
        let zeros = op.graph.outputs().iter().map(|v| crate::extract::zeros_of(&op.graph, *v));
        operands.extend(cts.iter().zip(zeros).map(|(ct, zero)| ct.clone().unwrap_or(zero)));
        let solved = types(&operands).and_then(|types| self.flipped().op(&types)).map(|op| {
            let dx = bind(Op::Custom(op), &operands.iter().collect::<Vec<_>>());
            let right = values[a + b + c..].iter();
            let pairs = dx.into_iter().zip(right);
            pairs.filter(|(_, value)| value.is_none()).map(|(dx, _)| Some(dx)).collect()
        });
        Some(solved)
    }
}

fn types(arrays: &[Array]) -> Result<Vec<ArrayType>> {
    arrays.iter().map(Array::ty).collect()
}

/// Tangents with zeros in place of those that are always zero.
fn filled(tangents: Sparse, like: &[Array]) -> Vec<Array> {
    let pairs = tangents.into_iter().zip(like);
    pairs.map(|(dx, x)| dx.unwrap_or_else(|| zeros_like(x))).collect()
}

fn other_structure(name: &str, what: &str, location: Loc) -> probpipe_trace::Error {
    transform_error(
        location,
        format!("{what} of `{name}` gives a tree of another structure than it takes"),
        "give back what is taken, with other values",
    )
}

/// Whether a function gives what it takes: structure and types.
fn same_kind(name: &str, what: &str, lifted: &Lifted, location: Loc) -> Result<()> {
    if lifted.input != lifted.output {
        return Err(other_structure(name, what, location));
    }
    let taken = lifted.graph.input_types().take(lifted.arguments);
    match taken.zip(lifted.graph.output_types()).find(|(from, to)| from != to) {
        None => Ok(()),
        Some((from, to)) => Err(transform_error(
            location,
            format!("{what} of `{name}` takes {from} and gives {to}"),
            "give back an array of the type that is taken; see `reshape` and `cast`",
        )),
    }
}

/// The op's results as a tree.
fn finish(made: Prepared, output: Structure, location: Loc) -> Flat {
    match made {
        Ok((custom, operands)) => {
            let operands: Vec<&Array> = operands.iter().collect();
            let results = with_location(location, || bind(Op::Custom(custom), &operands));
            Flat::new(output, results.into_vec(), location)
        }
        Err(error) => Flat::invalid(&output, &error.at(location), location),
    }
}
