//! Compilation: a function is traced, simplified and compiled once for each structure and types of
//! its argument, and called many times. Inside an open trace it is one call of its graph.

use super::inspect::compile_graph;
use super::lift::{build, failed, invalid, lift_plain, poison, typed};
use crate::extract::internal;
use crate::simplify::finish;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Executable, Flatten, Interpreter, Loc, Op, Result, Structure,
    Tree, Value, bind, default_float, is_tracing, with_location,
};
use smallvec::SmallVec;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// Compiles a function on first use, for the reference interpreter. Backends have a `jit` of their
/// own, see [`jit_on`].
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::{grad, jit, vmap};
/// let slopes = jit(vmap(grad(|x: Array| x.square())));
/// assert_eq!(slopes(array([1.0, 2.0])).to_vec::<f32>()?, [2.0, 4.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn jit<A: Tree, R: Tree>(f: impl Fn(A) -> R) -> impl Fn(A) -> R {
    jit_on(Arc::new(Interpreter), f)
}

/// Compiles a function on first use, for a backend. The structure of the result must be a function
/// of the structure and types of the argument. Arrays with a value that `f` captures become
/// constants of the program.
#[track_caller]
pub fn jit_on<A: Tree, R: Tree>(backend: Arc<dyn Backend>, f: impl Fn(A) -> R) -> impl Fn(A) -> R {
    let compiled = Jit::new(backend, f);
    move |x| compiled.call(x)
}

/// A compiled function as an object, for those who want to look at its cache.
pub struct Jit<A, R, F> {
    f: F,
    backend: Arc<dyn Backend>,
    location: Loc,
    /// The first program, which most functions never add to: found without a lock.
    first: OnceLock<Entry>,
    others: RwLock<Vec<Arc<Entry>>>,
    signature: PhantomData<fn(A) -> R>,
}

/// The program for one kind of argument.
struct Entry {
    input: Structure,
    types: Vec<ArrayType>,
    /// Literals in the function take it, so it is part of the key.
    float: DType,
    executable: Box<dyn Executable>,
    output: Structure,
}

impl Entry {
    /// Whether the program takes these arguments. Does not allocate.
    fn fits(&self, float: DType, flat: &Flatten<'_>, values: &[&Value]) -> bool {
        self.float == float
            && self.types.iter().zip(values).all(|(ty, value)| ty == value.ty())
            && flat.matches(&self.input)
    }
}

impl<A, R, F> fmt::Debug for Jit<A, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jit")
            .field("backend", &self.backend.name())
            .field("programs", &self.cache_len())
            .finish_non_exhaustive()
    }
}

impl<A, R, F> Jit<A, R, F> {
    /// Number of programs compiled so far.
    pub fn cache_len(&self) -> usize {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner).len();
        usize::from(self.first.get().is_some()) + others
    }
}

impl<A: Tree, R: Tree, F: Fn(A) -> R> Jit<A, R, F> {
    /// A function that is compiled on first use.
    #[track_caller]
    pub fn new(backend: Arc<dyn Backend>, f: F) -> Jit<A, R, F> {
        Jit {
            f,
            backend,
            location: Location::caller(),
            first: OnceLock::new(),
            others: RwLock::new(Vec::new()),
            signature: PhantomData,
        }
    }

    /// Calls the function.
    pub fn call(&self, x: A) -> R {
        let flat = Flatten::of(&x);
        if is_tracing() {
            return self.record(&x);
        }
        let values: Option<SmallVec<[&Value; 8]>> =
            flat.leaves.iter().map(|leaf| leaf.value_ref()).collect();
        match values {
            Some(values) => {
                let float = default_float();
                if let Some(entry) = self.first.get()
                    && entry.fits(float, &flat, &values)
                {
                    return self.run(entry, &values);
                }
                match self.find(float, &flat, &values) {
                    Some(entry) => self.run(&entry, &values),
                    None => self.compile_and_run(&x, &values),
                }
            }
            None => self.call_slowly(&x, &flat),
        }
    }

    /// Leaves that are literals get a type; invalid ones, and those of a trace that has ended,
    /// give an invalid result.
    fn call_slowly(&self, x: &A, flat: &Flatten<'_>) -> R {
        for leaf in &flat.leaves {
            if let Err(error) = with_location(self.location, || leaf.value()) {
                return poison(x, &self.f, &error, self.location);
            }
        }
        self.call(x.map(|a| if a.is_literal() { typed(a, a.dtype()) } else { a.clone() }))
    }

    fn find(&self, float: DType, flat: &Flatten<'_>, values: &[&Value]) -> Option<Arc<Entry>> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        others.iter().find(|entry| entry.fits(float, flat, values)).cloned()
    }

    fn run(&self, entry: &Entry, values: &[&Value]) -> R {
        match entry.executable.run(values) {
            Ok(results) => with_location(self.location, || {
                let leaves = results.into_iter().map(Array::from_value).collect();
                build(&entry.output, leaves, self.location)
            }),
            Err(error) => invalid(&entry.output, &error.at(self.location), self.location),
        }
    }

    fn compile_and_run(&self, x: &A, values: &[&Value]) -> R {
        let lifted = match lift_plain(self.location, x, &self.f) {
            Ok(lifted) => lifted,
            Err(failure) => return failed(x, &self.f, &failure, self.location),
        };
        let compiled: Result<Box<dyn Executable>> =
            compile_graph(&*self.backend, &finish(&lifted.graph));
        let executable = match compiled {
            Ok(executable) => executable,
            Err(error) => {
                return invalid(&lifted.output, &error.at(self.location), self.location);
            }
        };
        let entry = Entry {
            input: lifted.input,
            types: values.iter().map(|v| v.ty().clone()).collect(),
            float: default_float(),
            executable,
            output: lifted.output,
        };
        let lost = || poison(x, &self.f, &internal("a program is lost"), self.location);
        let Err(entry) = self.first.set(entry) else {
            // It is there now, and is never taken out.
            return self.first.get().map_or_else(lost, |entry| self.run(entry, values));
        };
        let entry = Arc::new(entry);
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        others.push(entry.clone());
        drop(others);
        self.run(&entry, values)
    }

    /// Inside a trace: one call, whose graph takes the captured arrays as its last inputs.
    fn record(&self, x: &A) -> R {
        if let Some(error) = x.leaves().iter().find_map(|a| a.error().cloned()) {
            return poison(x, &self.f, &error, self.location);
        }
        let lifted = match lift_plain(self.location, x, &self.f) {
            Ok(lifted) => lifted,
            Err(failure) => return failed(x, &self.f, &failure, self.location),
        };
        let op = Op::Call { graph: Arc::new(lifted.graph), name: "jit" };
        let operands: SmallVec<[&Array; 8]> = lifted.operands.iter().collect();
        let results = with_location(self.location, || bind(op, &operands));
        build(&lifted.output, results.into_vec(), self.location)
    }
}
