//! Calls of the host from inside programs: functions that know no graph, and printing. Such a
//! function must be pure: a program may call it less often than written, if a result is not read
//! or is the same, and in another order. The GPU refuses it when it compiles.

use crate::context::{here, with_location};
use crate::error::{Error, ErrorKind, Result};
use crate::flat::{Flat, last_resort};
use crate::handle::{Array, Outputs};
use crate::op::Op;
use crate::op::opaque::{Callback, Custom, CustomRule, HostFn, Sparse};
use crate::tracing::{bind, bind1, trace_with};
use crate::tree::{Structure, Tree};
use crate::types::{ArrayType, Loc};
use crate::value::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Calls a function of the host from inside a program, on arrays that have values. `like` gives
/// the structure and types of its result. `vmap` calls it once per lane.
///
/// It has no derivative of its own: wrap it in `custom_jvp` or `custom_vjp`, which say it. A panic
/// in the function, an error in its result and a result of another type are errors of the call.
///
/// ```
/// use probpipe_trace::{Array, array, pure_callback};
/// let sorted = |x: Array| {
///     let mut v = x.to_vec::<f32>().unwrap_or_default();
///     v.sort_by(f32::total_cmp);
///     Array::from(v)
/// };
/// let x = array([3.0, 1.0, 2.0]);
/// assert_eq!(pure_callback(sorted, &x, x.clone()).to_vec::<f32>()?, [1.0, 2.0, 3.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn pure_callback<A: Tree + 'static, R: Tree + 'static>(
    f: impl Fn(A) -> R + Send + Sync + 'static,
    like: &R,
    x: A,
) -> R {
    call(here(), false, Arc::new(f), like, x)
}

/// [`pure_callback`] for a function that takes leading axes in front of those of its argument, and
/// gives its result with them: `vmap` calls it once, on all lanes.
#[track_caller]
pub fn pure_callback_vectorized<A: Tree + 'static, R: Tree + 'static>(
    f: impl Fn(A) -> R + Send + Sync + 'static,
    like: &R,
    x: A,
) -> R {
    call(here(), true, Arc::new(f), like, x)
}

/// The function on trees taken apart.
type Function = Box<dyn Fn(Flat) -> Result<Flat> + Send + Sync>;

fn call<A: Tree + 'static, R: Tree + 'static>(
    location: Loc,
    vectorized: bool,
    f: Arc<dyn Fn(A) -> R + Send + Sync>,
    like: &R,
    x: A,
) -> R {
    let own = f.clone();
    let function = Box::new(move |x: Flat| Ok(Flat::of(&own(x.tree(location)?))));
    let result = called(location, vectorized, function, Flat::of(like), Flat::of(&x));
    match result.clone().tree(location) {
        Ok(tree) => tree,
        // The function itself may still make one.
        Err(error) => match catch_unwind(AssertUnwindSafe(|| f(x))) {
            Ok(tree) => {
                let bad = Flat::invalid(&tree.structure(), &error, location);
                bad.put_in(tree, location)
            }
            Err(_) => last_resort(&error),
        },
    }
}

fn called(location: Loc, vectorized: bool, f: Function, like: Flat, x: Flat) -> Flat {
    let x = x.typed();
    let results = declared(&like, &x.leaves).map(|(inputs, outputs)| {
        let (from, to, dtypes) = (x.structure, like.structure.clone(), outputs.clone());
        let function = move |values: &[Value]| {
            let leaves = values.iter().map(|v| Array::concrete(v.clone(), location)).collect();
            results_of(&f(Flat { leaves, structure: from.clone() })?, &to, &dtypes)
        };
        let callback = Callback {
            name: "pure_callback".into(),
            function: Arc::new(function),
            inputs,
            outputs,
            vectorized,
        };
        let operands: Vec<&Array> = x.leaves.iter().collect();
        with_location(location, || bind(Op::Callback(Arc::new(callback)), &operands))
    });
    match results {
        Ok(results) => Flat::new(like.structure, results.into_vec(), location),
        Err(error) => Flat::invalid(&like.structure, &error, location),
    }
}

/// Types of the operands and of the results.
fn declared(like: &Flat, leaves: &[Array]) -> Result<(Vec<ArrayType>, Vec<ArrayType>)> {
    let inputs = leaves.iter().map(Array::ty).collect::<Result<_>>()?;
    Ok((inputs, like.leaves.iter().map(Array::ty).collect::<Result<_>>()?))
}

fn results_of(result: &Flat, structure: &Structure, types: &[ArrayType]) -> Result<Vec<Value>> {
    if result.structure != *structure {
        return Err(Error::new(
            ErrorKind::Tree,
            "the callback `pure_callback` gave a result of another structure than declared",
        )
        .help("give the callback's result the structure of `like`"));
    }
    let leaves = result.leaves.iter().zip(types);
    leaves.map(|(leaf, ty)| leaf.in_dtype(ty.dtype).value()).collect()
}

/// The identity on a path of values; tangents and cotangents pass by it.
#[derive(Debug)]
struct PassBy;

impl CustomRule for PassBy {
    fn name(&self) -> &'static str {
        "inspect"
    }

    fn jvp(&self, op: &Custom, x: &[&Array], dx: &[Option<&Array>]) -> Result<(Outputs, Sparse)> {
        let y = bind(Op::Custom(op.clone()), x);
        Ok((y, dx.iter().map(|dx| dx.cloned()).collect()))
    }

    fn transpose(
        &self,
        _: &Custom,
        _: &[Option<Array>],
        cts: &[Option<Array>],
    ) -> Option<Result<Sparse>> {
        Some(Ok(cts.to_vec()))
    }
}

/// One array through a graph with a rule.
fn through(
    x: &Array,
    location: Loc,
    rule: Arc<dyn CustomRule>,
    body: impl FnOnce(&Array) -> Outputs,
) -> Array {
    let x = x.decided();
    let custom = x.ty().and_then(|ty| {
        let (traced, ()) = trace_with(location, &[ty], |arguments| {
            (with_location(location, || body(&arguments[0])).into_vec(), ())
        });
        Ok(Custom { graph: Arc::new(traced?.graph), rule })
    });
    match custom {
        Ok(custom) => with_location(location, || bind1(Op::Custom(custom), &[&x])),
        Err(error) => Array::invalid(error, location),
    }
}

impl Array {
    /// The same array; prints `label = value` to the standard error when it is computed, also
    /// inside compiled programs (not on the GPU). Inside `vmap` it prints all lanes at once;
    /// derivatives pass by unprinted. What no result needs is not computed, so use the array that
    /// this gives.
    #[track_caller]
    #[doc(alias = "debug.print")]
    pub fn inspect(&self, label: &str) -> Array {
        let (location, label) = (here(), label.to_string());
        inspect(self, location, move |x| eprintln!("{label} = {x}"))
    }

    /// The same array; calls `see` with its value when it is computed, as [`Array::inspect`].
    #[track_caller]
    pub fn inspect_with(&self, see: impl Fn(&Array) + Send + Sync + 'static) -> Array {
        inspect(self, here(), see)
    }
}

fn inspect(x: &Array, location: Loc, see: impl Fn(&Array) + Send + Sync + 'static) -> Array {
    let function = move |values: &[Value]| {
        for value in values {
            see(&Array::concrete(value.clone(), location));
        }
        Ok(values.to_vec())
    };
    let function: Arc<HostFn> = Arc::new(function);
    through(x, location, Arc::new(PassBy), |x| match x.ty() {
        Ok(ty) => {
            let callback = Callback {
                name: "inspect".into(),
                function,
                inputs: vec![ty.clone()],
                outputs: vec![ty],
                vectorized: true,
            };
            bind(Op::Callback(Arc::new(callback)), &[x])
        }
        Err(error) => smallvec::smallvec![Array::invalid(error, location)],
    })
}
