//! Functions with derivatives of their own. A rule is a closure over trees; it runs when a
//! derivative is taken, in a trace of its own, so that it may call the function that it is about.

use super::lift::{Function, lift_or_invalid, transform_error};
use crate::extract::{extract, partition, zeros_of};
use crate::jvp::{jvp_arrays, spread};
use crate::transpose::transpose;
use probpipe_trace::{
    Array, ArrayType, Callback, Custom, CustomRule, DType, Error, Flat, Graph, Loc, Op, Outputs,
    Result, Sparse, Structure, Tree, bind, default_float, inline, through, trace, trace_with,
    with_default_float, with_location, without_location,
};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// A function whose derivative is what `rule` says: from an argument and its tangent to the result
/// and its tangent, which must be linear in the tangent. Reverse mode transposes it. Leaves that
/// are no floats have zeros for tangents; what the rule gives for them is not read.
///
/// The rule runs when a derivative is taken, and may call the function itself. Arrays that `f`
/// takes from around it must be constants of the differentiation: to differentiate by one, pass it
/// as an argument. A rule takes none of a trace from around it.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::{custom_jvp, grad};
/// // log(1 + exp(x)), whose plain derivative is NaN for large x.
/// fn log1pexp(x: Array) -> Array {
///     let f = |x: Array| (x.exp() + 1.0).log();
///     let rule = |x: Array, dx: Array| (log1pexp(x.clone()), dx * (1.0 - 1.0 / (x.exp() + 1.0)));
///     custom_jvp(f, rule)(x)
/// }
/// assert_eq!(grad(log1pexp)(array(100.0)).item::<f32>()?, 1.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn custom_jvp<A: Tree + 'static, R: Tree + 'static>(
    f: impl Fn(A) -> R,
    rule: impl Fn(A, A) -> (R, R) + Send + Sync + 'static,
) -> impl Fn(A) -> R {
    let location = Location::caller();
    let rules = Rules { name: "custom_jvp", jvp: Some(forward_rule(location, rule)), vjp: None };
    with_rules(location, f, rules)
}

/// A function whose cotangents are what `bwd` says: `fwd` gives the result and a residual, any
/// tree; `bwd` takes the residual and the cotangent of the result to that of the argument. Forward
/// mode transposes `bwd`, which must be linear in the cotangent for that; so forward mode, and
/// second derivatives, work as well. See [`custom_jvp`] for what rules may use.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::{custom_vjp, grad};
/// // The identity, with gradients clipped to one.
/// let clip = custom_vjp(|x: Array| x, |x| (x, ()), |(), ct: Array| ct.maximum(-1.0).minimum(1.0));
/// assert_eq!(grad(|x: Array| clip(x) * 5.0)(array(2.0)).item::<f32>()?, 1.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
#[doc(alias = "jax.custom_gradient")]
pub fn custom_vjp<A: Tree + 'static, R: Tree + 'static, S: Tree + 'static>(
    f: impl Fn(A) -> R,
    fwd: impl Fn(A) -> (R, S) + Send + Sync + 'static,
    bwd: impl Fn(S, R) -> A + Send + Sync + 'static,
) -> impl Fn(A) -> R {
    let location = Location::caller();
    let vjp = Some(reverse_rule(location, fwd, bwd));
    with_rules(location, f, Rules { name: "custom_vjp", jvp: None, vjp })
}

/// A function with both rules: forward mode uses that of [`custom_jvp`], reverse mode those of
/// [`custom_vjp`].
#[track_caller]
pub fn custom_derivatives<A: Tree + 'static, R: Tree + 'static, S: Tree + 'static>(
    f: impl Fn(A) -> R,
    jvp: impl Fn(A, A) -> (R, R) + Send + Sync + 'static,
    fwd: impl Fn(A) -> (R, S) + Send + Sync + 'static,
    bwd: impl Fn(S, R) -> A + Send + Sync + 'static,
) -> impl Fn(A) -> R {
    let location = Location::caller();
    let jvp = Some(forward_rule(location, jvp));
    let vjp = Some(reverse_rule(location, fwd, bwd));
    with_rules(location, f, Rules { name: "custom_derivatives", jvp, vjp })
}

type Forward = dyn Fn(Flat, Flat) -> Result<[Flat; 2]> + Send + Sync;
type Fwd = dyn Fn(Flat) -> Result<[Flat; 2]> + Send + Sync;
type Bwd = dyn Fn(Flat, Flat) -> Result<Flat> + Send + Sync;

/// The rules of a function, on leaves.
#[derive(Clone)]
struct Rules {
    name: &'static str,
    /// (argument, tangent) to (result, tangent).
    jvp: Option<Arc<Forward>>,
    vjp: Option<(Arc<Fwd>, Arc<Bwd>)>,
}

fn forward_rule<A: Tree, R: Tree>(
    location: Loc,
    rule: impl Fn(A, A) -> (R, R) + Send + Sync + 'static,
) -> Arc<Forward> {
    Arc::new(move |x: Flat, dx: Flat| {
        let (y, dy) = rule(x.tree(location)?, dx.tree(location)?);
        Ok([Flat::of(&y), Flat::of(&dy)])
    })
}

fn reverse_rule<A: Tree, R: Tree, S: Tree>(
    location: Loc,
    fwd: impl Fn(A) -> (R, S) + Send + Sync + 'static,
    bwd: impl Fn(S, R) -> A + Send + Sync + 'static,
) -> (Arc<Fwd>, Arc<Bwd>) {
    let fwd = move |x: Flat| {
        let (y, residual) = fwd(x.tree(location)?);
        Ok([Flat::of(&y), Flat::of(&residual)])
    };
    let bwd = move |residual: Flat, ct: Flat| {
        Ok(Flat::of(&bwd(residual.tree(location)?, ct.tree(location)?)))
    };
    (Arc::new(fwd), Arc::new(bwd))
}

fn with_rules<A: Tree, R: Tree>(
    location: Loc,
    f: impl Fn(A) -> R,
    rules: Rules,
) -> impl Fn(A) -> R {
    move |x: A| through(location, &f, x, &mut |f, x| call(location, &rules, f, &x))
}

fn call(location: Loc, rules: &Rules, f: Function<'_>, x: &Flat) -> Flat {
    let lifted = match lift_or_invalid(location, x, f) {
        Ok(lifted) => lifted,
        Err(invalid) => return *invalid,
    };
    let rule = TreeRule {
        rules: rules.clone(),
        location,
        float: default_float(),
        input: lifted.input,
        output: lifted.output.clone(),
        arguments: lifted.arguments,
    };
    let op = Op::Custom(Custom { graph: Arc::new(lifted.graph), rule: Arc::new(rule) });
    let operands: Vec<&Array> = lifted.operands.iter().collect();
    let results = with_location(location, || bind(op, &operands));
    Flat::new(lifted.output, results.into_vec(), location)
}

/// The rules of a function at one kind of argument.
struct TreeRule {
    rules: Rules,
    location: Loc,
    /// Literals in the rules take it.
    float: DType,
    input: Structure,
    output: Structure,
    /// Operands beyond these are arrays that the function took from around it.
    arguments: usize,
}

impl fmt::Debug for TreeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.rules.name, self.location)
    }
}

impl CustomRule for TreeRule {
    fn name(&self) -> &'static str {
        self.rules.name
    }

    fn jvp(&self, op: &Custom, x: &[&Array], dx: &[Option<&Array>]) -> Result<(Outputs, Sparse)> {
        if let Some(i) = (self.arguments..x.len()).find(|&i| dx[i].is_some()) {
            let message = format!(
                "a function with `{}` is differentiated by an array that it takes from around it",
                self.rules.name
            );
            let help = "pass the array as an argument, so that the rule can say its derivative";
            return Err(transform_error(self.location, message, help)
                .note("the array was made", Some(x[i].location())));
        }
        let (x, dx) = (&x[..self.arguments], &dx[..self.arguments]);
        match (&self.rules.jvp, &self.rules.vjp) {
            (Some(rule), None) => self.forward(op, &**rule, x, dx),
            (rule, Some((fwd, bwd))) => self.reverse(op, rule.as_deref(), &**fwd, &**bwd, x, dx),
            (None, None) => Err(crate::extract::internal("a custom op without a rule")),
        }
    }
}

impl TreeRule {
    /// Runs a rule of the user in a trace of its own.
    fn trace<T>(
        &self,
        types: &[ArrayType],
        rule: impl FnOnce(&[Array]) -> Result<(Vec<Array>, T)>,
    ) -> Result<(Graph, T)> {
        let (traced, found) = trace_with(self.location, types, |arguments| {
            let found = without_location(|| with_default_float(self.float, || rule(arguments)));
            match found {
                Ok((leaves, extra)) => (leaves, Ok(extra)),
                Err(error) => (Vec::new(), Err(error)),
            }
        });
        let name = self.rules.name;
        let extra = found.map_err(|error| error.at(self.location))?;
        let traced = traced.map_err(|error| {
            error.note(format!("it came up in a rule of `{name}`"), Some(self.location))
        })?;
        match traced.captures.first() {
            None => Ok((traced.graph, extra)),
            Some(array) => Err(transform_error(
                self.location,
                format!("a rule of `{name}` takes a traced array from around it"),
                "a rule may run when that trace is over: pass the array as an argument of the \
                 function, or hand it from `fwd` to `bwd` in the residual",
            )
            .note("the array was made", Some(array.location()))),
        }
    }

    /// The leaves of what a rule gives, with the types that they must have; those of leaves that
    /// are no floats are not looked at, if there is no need of them.
    fn checked(
        &self,
        what: &str,
        flat: Flat,
        structure: &Structure,
        types: &[ArrayType],
        floats_only: bool,
    ) -> Result<Vec<Array>> {
        let name = self.rules.name;
        if flat.structure != *structure {
            return Err(transform_error(
                self.location,
                format!("a rule of `{name}` gives {what} of another structure"),
                "give it the structure of what it belongs to",
            ));
        }
        let paths = structure.paths();
        let pairs = flat.leaves.into_iter().zip(types).enumerate();
        pairs
            .map(|(i, (leaf, ty))| {
                if floats_only && !ty.dtype.is_float() {
                    return Ok(probpipe_trace::full_typed(ty, 0));
                }
                let leaf = leaf.in_dtype(ty.dtype);
                let have = leaf.ty().map_err(|error| {
                    error.note(format!("it came up in a rule of `{name}`"), Some(self.location))
                })?;
                if have == *ty {
                    return Ok(leaf);
                }
                let path = paths.get(i).map(String::as_str).unwrap_or_default();
                let at = if path.is_empty() { String::new() } else { format!(" leaf `{path}`") };
                Err(transform_error(
                    self.location,
                    format!("a rule of `{name}` gives {what}{at} of type {have}, not {ty}"),
                    "give it the type of what it belongs to; see `reshape`, `broadcast_to`, `cast`",
                )
                .note("it was made", Some(leaf.location())))
            })
            .collect()
    }

    fn forward(
        &self,
        op: &Custom,
        rule: &Forward,
        x: &[&Array],
        dx: &[Option<&Array>],
    ) -> Result<(Outputs, Sparse)> {
        let graph = self.forward_graph(op, rule, x)?;
        let mut operands: Vec<Array> = x.iter().map(|&x| x.clone()).collect();
        operands.extend(x.iter().zip(dx).map(|(x, dx)| tangent(x, *dx)));
        let mut y = inline(&graph, &operands);
        let dy = y.split_off(op.graph.outputs().len());
        Ok((y.into_iter().collect(), floats(&op.graph, dy)))
    }

    /// The rule as a graph: (argument, tangent) to (result, tangent).
    fn forward_graph(&self, op: &Custom, rule: &Forward, x: &[&Array]) -> Result<Graph> {
        let outputs: Vec<ArrayType> = op.graph.output_types().cloned().collect();
        let mut types = x.iter().map(|x| x.ty()).collect::<Result<Vec<_>>>()?;
        types.extend_from_within(..);
        let (graph, ()) = self.trace(&types, |arguments| {
            let (x, dx) = arguments.split_at(self.arguments);
            let flat =
                |leaves: &[Array]| Flat { leaves: leaves.to_vec(), structure: self.input.clone() };
            let [y, dy] = rule(flat(x), flat(dx))?;
            let mut out = self.checked("a result", y, &self.output, &outputs, false)?;
            out.extend(self.checked("a tangent", dy, &self.output, &outputs, true)?);
            Ok((out, ()))
        })?;
        Ok(graph)
    }

    /// The result by `fwd`, and the tangent by an op that is linear in those of the argument, whose
    /// transpose is `bwd`.
    fn reverse(
        &self,
        op: &Custom,
        rule: Option<&Forward>,
        fwd: &Fwd,
        bwd: &Bwd,
        x: &[&Array],
        dx: &[Option<&Array>],
    ) -> Result<(Outputs, Sparse)> {
        let inputs = x.iter().map(|x| x.ty()).collect::<Result<Vec<_>>>()?;
        let outputs: Vec<ArrayType> = op.graph.output_types().cloned().collect();
        let (forward, structure) = self.trace(&inputs, |x| {
            let x = Flat { leaves: x.to_vec(), structure: self.input.clone() };
            let [y, residual] = fwd(x)?;
            let mut out = self.checked("a result", y, &self.output, &outputs, false)?;
            out.extend(residual.leaves.iter().map(Array::decided));
            Ok((out, residual.structure))
        })?;
        let operands: Vec<Array> = x.iter().map(|&x| x.clone()).collect();
        let mut y = inline(&forward, &operands);
        let residuals = y.split_off(outputs.len());
        let residual_types: Vec<ArrayType> =
            forward.output_types().skip(outputs.len()).cloned().collect();

        // (residual, cotangents of float results) to cotangents of the arguments that move.
        let is_float: Vec<bool> = outputs.iter().map(|ty| ty.dtype.is_float()).collect();
        let mut types = residual_types.clone();
        types.extend(partition(&outputs, &is_float).0);
        let (backward, ()) = self.trace(&types, |arguments| {
            let (residual, cts) = arguments.split_at(residual_types.len());
            let cts = spread(cts, &is_float).into_iter().zip(&outputs);
            let zero = |ty: &ArrayType| probpipe_trace::full_typed(ty, 0);
            let cts = cts.map(|(ct, ty)| ct.unwrap_or_else(|| zero(ty))).collect();
            let dx = bwd(
                Flat { leaves: residual.to_vec(), structure },
                Flat { leaves: cts, structure: self.output.clone() },
            )?;
            Ok((self.checked("a cotangent", dx, &self.input, &inputs, true)?, ()))
        })?;
        let moving: Vec<bool> = dx.iter().map(Option::is_some).collect();
        let wanted = partition(backward.outputs(), &moving).0;
        let backward = extract(&backward, backward.inputs(), &wanted)?;

        let tangents: Vec<Array> = dx.iter().flatten().map(|&dx| dx.clone()).collect();
        let tangent_types = partition(&inputs, &moving).0;
        let (fixed, graph, backward, failure) = match rule {
            None => {
                let (graph, failure) =
                    self.transposed(&backward, residuals.len(), &tangent_types)?;
                (residuals, graph, backward, failure)
            }
            Some(rule) => {
                // The forward rule reads the argument, the reverse one the residual.
                let mut fixed = operands;
                let count = fixed.len();
                fixed.extend(residuals);
                let rule = self.forward_graph(op, rule, x)?;
                let mut types = inputs.clone();
                types.extend(residual_types);
                let n = types.len();
                let forward = trace(&with(&types, &tangent_types), |arguments| {
                    let (fixed, dx) = arguments.split_at(n);
                    let x = &fixed[..count];
                    let mut operands = x.to_vec();
                    let dx = spread(dx, &moving);
                    operands.extend(x.iter().zip(&dx).map(|(x, dx)| tangent(x, dx.as_ref())));
                    let dy = inline(&rule, &operands).split_off(outputs.len());
                    partition(&dy, &is_float).0
                })?;
                let cts = partition(&outputs, &is_float).0;
                let backward =
                    trace(&with(&types, &cts), |arguments| inline(&backward, &arguments[count..]))?;
                (fixed, forward.graph, backward.graph, None)
            }
        };
        let linear = Linear {
            name: self.rules.name,
            fixed: fixed.len(),
            backward: Arc::new(backward),
            failure,
        };
        let linear = Custom { graph: Arc::new(graph), rule: Arc::new(linear) };
        let operands: Vec<&Array> = fixed.iter().chain(&tangents).collect();
        let dy = bind(Op::Custom(linear), &operands);
        Ok((y.into_iter().collect(), spread(&dy, &is_float)))
    }

    /// The transpose of `bwd`: (residual, tangents) to tangents of the float results. Where it has
    /// none, a graph that fails when it is run, and why.
    fn transposed(
        &self,
        backward: &Graph,
        fixed: usize,
        tangents: &[ArrayType],
    ) -> Result<(Graph, Option<Error>)> {
        let flags: Vec<bool> = (0..backward.inputs().len()).map(|i| i >= fixed).collect();
        let error = match transpose(backward, &flags) {
            Ok(graph) => return Ok((graph, None)),
            Err(error) => error,
        };
        let failure = transform_error(
            self.location,
            format!(
                "forward mode of a function with `custom_vjp` whose `bwd` is not linear in the \
                 cotangent: {}",
                error.message()
            ),
            "give a forward rule as well, with `custom_derivatives`",
        );
        let failure = match error.location() {
            Some(at) => failure.note("it was made", Some(at)),
            None => failure,
        };
        let types: Vec<ArrayType> = backward.input_types().cloned().collect();
        let inputs = with(&types[..fixed], tangents);
        let why = failure.clone();
        let callback = Callback {
            name: self.rules.name.into(),
            function: Arc::new(move |_| Err(why.clone())),
            inputs: inputs.clone(),
            outputs: types[fixed..].to_vec(),
            vectorized: true,
        };
        let op = Op::Callback(Arc::new(callback));
        let traced = trace(&inputs, |x| bind(op, &x.iter().collect::<Vec<_>>()).into_vec())?;
        Ok((traced.graph, Some(failure)))
    }
}

fn with(a: &[ArrayType], b: &[ArrayType]) -> Vec<ArrayType> {
    a.iter().chain(b).cloned().collect()
}

fn tangent(x: &Array, dx: Option<&Array>) -> Array {
    dx.cloned().unwrap_or_else(|| probpipe_trace::zeros_like(x))
}

/// Tangents of the results that are floats.
fn floats(graph: &Graph, dy: Vec<Array>) -> Sparse {
    let pairs = dy.into_iter().zip(graph.output_types());
    pairs.map(|(dy, ty)| ty.dtype.is_float().then_some(dy)).collect()
}

/// An op that is linear in the operands from `fixed` on, with a transpose of its own.
struct Linear {
    name: &'static str,
    fixed: usize,
    /// (fixed operands, cotangents of the results) to cotangents of the linear operands.
    backward: Arc<Graph>,
    /// Why it has no values, only a transpose.
    failure: Option<Error>,
}

impl fmt::Debug for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tangent of {}", self.name)
    }
}

impl CustomRule for Linear {
    fn name(&self) -> &'static str {
        self.name
    }

    fn jvp(&self, op: &Custom, x: &[&Array], dx: &[Option<&Array>]) -> Result<(Outputs, Sparse)> {
        let y = bind(Op::Custom(op.clone()), x);
        let (fixed, linear) = dx.split_at(self.fixed);
        let mut dy: Sparse = vec![None; y.len()];
        if linear.iter().any(Option::is_some) {
            let mut operands: Vec<Array> = x[..self.fixed].iter().map(|&x| x.clone()).collect();
            operands.extend(x[self.fixed..].iter().zip(linear).map(|(x, dx)| tangent(x, *dx)));
            let moved = bind(Op::Custom(op.clone()), &operands.iter().collect::<Vec<_>>());
            dy = moved.into_iter().map(Some).collect();
        }
        if fixed.iter().any(Option::is_some) {
            if let Some(failure) = &self.failure {
                return Err(failure.clone());
            }
            let x: Vec<Array> = x.iter().map(|&x| x.clone()).collect();
            let mut moving: Sparse = fixed.iter().map(|dx| dx.cloned()).collect();
            moving.resize(x.len(), None);
            let (_, more) = jvp_arrays(&op.graph, &x, moving);
            dy = dy.into_iter().zip(more).map(|(a, b)| crate::jvp::add(a, b)).collect();
        }
        Ok((y, dy))
    }

    fn transpose(
        &self,
        _: &Custom,
        values: &[Option<Array>],
        cts: &[Option<Array>],
    ) -> Option<Result<Sparse>> {
        let (fixed, linear) = values.split_at(self.fixed);
        let mut operands: Vec<Array> = fixed.iter().cloned().collect::<Option<_>>()?;
        let outputs = &self.backward.inputs()[self.fixed..];
        let zeros = outputs.iter().map(|v| zeros_of(&self.backward, *v));
        operands.extend(cts.iter().zip(zeros).map(|(ct, zero)| ct.clone().unwrap_or(zero)));
        let dx = inline(&self.backward, &operands);
        let pairs = dx.into_iter().zip(linear);
        Some(Ok(pairs.filter(|(_, value)| value.is_none()).map(|(dx, _)| Some(dx)).collect()))
    }
}
