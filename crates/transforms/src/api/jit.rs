//! Compilation: a function is traced, simplified and compiled once for each structure and types of
//! its argument, and called many times. Inside an open trace it is one call of its graph.

use super::inspect::{compile_graph, profile};
use super::lift::{Unsettled, build, failed, invalid, lift_plain, own_types, poison, unsettled};
use crate::extract::internal;
use crate::simplify::finish;
use probpipe_trace::{
    Array, ArrayType, Asked, Backend, DType, Executable, Flatten, Given, Interpreter, Loc, Op,
    Profile, Result, Structure, Tree, Value, Values, bind, default_float, is_tracing,
    with_location,
};
use smallvec::SmallVec;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

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
///
/// What is passed is given up: on the CPU a result may be written into the memory of a large array
/// of which no other handle is left, so that `x = f(x)` in a loop works in place. Pass a clone,
/// which copies no data, to keep an array.
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
    /// Why each program after the first was compiled.
    reasons: Mutex<Vec<String>>,
    signature: PhantomData<fn(A) -> R>,
}

/// What a program takes of a leaf.
#[derive(PartialEq)]
enum Leaf {
    /// An array of this type.
    Typed(ArrayType),
    /// An array without an element type, which is handed over in each of those that the program
    /// asks for, if any.
    Weak(ArrayType, Asked),
}

impl Leaf {
    /// The type of the one array that the program takes, if it takes one.
    fn only(&self) -> Option<ArrayType> {
        match self {
            Leaf::Typed(ty) => Some(ty.clone()),
            Leaf::Weak(ty, asked) if asked.len() == 1 => Some(ty.with_dtype(asked[0])),
            Leaf::Weak(..) => None,
        }
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.only(), self) {
            (Some(ty), _) => ty.fmt(f),
            (None, Leaf::Typed(ty) | Leaf::Weak(ty, _)) => write!(f, "a literal {ty}"),
        }
    }
}

/// The program for one kind of argument.
struct Entry {
    input: Structure,
    leaves: Vec<Leaf>,
    /// Literals in the function take it, so it is part of the key.
    float: DType,
    executable: Arc<dyn Executable>,
    /// Whether the executable is another entry's, too.
    shared: bool,
    /// Whether it may write results into the memory of its arguments.
    reuses: bool,
    output: Structure,
}

/// What comes of giving an argument to a program that takes it.
enum Attempt {
    /// It may write results into the memory of these arguments.
    Taking(Given),
    /// It has run.
    Done(Result<Values>),
}

impl Entry {
    /// Whether the program takes this argument, whose leaves `flat` then has. Numbers without a
    /// type of their own become values, added to `numbers`. Allocates nothing else for up to eight
    /// leaves.
    #[inline]
    fn takes<'a, A: Tree>(
        &self,
        float: DType,
        x: &'a A,
        flat: &mut Flatten<'a>,
        numbers: &mut SmallVec<[Value; 4]>,
    ) -> bool {
        x.flatten(flat);
        if !flat.fits() || self.float != float {
            return false;
        }
        for (leaf, takes) in flat.leaves.iter().zip(&self.leaves) {
            let fits = match (leaf.value_ref(), takes) {
                (Some(value), Leaf::Typed(ty)) => value.ty() == ty,
                // The same program as that for a literal, where that is needed in one type.
                (Some(value), Leaf::Weak(ty, asked)) => {
                    asked.len() == 1 && value.ty().dtype == asked[0] && value.ty().shape == ty.shape
                }
                (None, Leaf::Weak(ty, asked)) => {
                    leaf.is_weak()
                        && leaf.dtype() == ty.dtype
                        && leaf.shape() == &ty.shape[..]
                        && asked.iter().all(|&dtype| match leaf.value_in(dtype) {
                            Ok(value) => {
                                numbers.push(value);
                                true
                            }
                            Err(_) => false,
                        })
                }
                (None, Leaf::Typed(_)) => false,
            };
            if !fits {
                return false;
            }
        }
        true
    }

    /// Calls `then` with the values of the argument, if the program takes it.
    #[inline]
    fn with_values<A: Tree, T>(
        &self,
        float: DType,
        x: &A,
        then: impl FnOnce(&[&Value]) -> T,
    ) -> Option<T> {
        let mut flat = Flatten::against(&self.input);
        let mut numbers = SmallVec::new();
        if !self.takes(float, x, &mut flat, &mut numbers) {
            return None;
        }
        let mut numbers = numbers.iter();
        let mut values: SmallVec<[&Value; 8]> = SmallVec::new();
        for (leaf, takes) in flat.leaves.iter().zip(&self.leaves) {
            match (leaf.value_ref(), takes) {
                (Some(value), _) => values.push(value),
                (None, Leaf::Weak(_, asked)) => values.extend(numbers.by_ref().take(asked.len())),
                (None, Leaf::Typed(_)) => {}
            }
        }
        Some(then(&values))
    }

    /// What of a new program's argument differs from this one's; `{}` stands for the program's
    /// name.
    fn differences(&self, new: &Entry) -> Vec<String> {
        let mut found = Vec::new();
        if self.float != new.float {
            let (now, then) = (new.float, self.float);
            found.push(format!("the default float is {now}, {{}} was compiled with {then}"));
        }
        let (paths, before) = (new.input.paths(), self.input.paths());
        if self.input != new.input {
            let what = if paths == before {
                "a variant or a value that belongs to the argument's structure differs from {}'s"
                    .to_string()
            } else {
                let list = |paths: &[String]| paths.join("`, `");
                format!(
                    "the argument has leaves `{}`, that of {{}} has `{}`",
                    list(&paths),
                    list(&before)
                )
            };
            found.push(what);
            return found;
        }
        for ((path, now), then) in paths.iter().zip(&new.leaves).zip(&self.leaves) {
            let same = now == then || now.only().is_some() && now.only() == then.only();
            if !same {
                let name = match path.as_str() {
                    "" => "the argument".to_string(),
                    path => format!("leaf `{path}`"),
                };
                found.push(format!("{name} is {now}, {{}} takes {then}"));
            }
        }
        found
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
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let own = others.iter().filter(|entry| !entry.shared).count();
        usize::from(self.first.get().is_some()) + own
    }

    /// Why each program after the first was compiled: what of the argument differs from the
    /// program that is most like it. Arrays with a value that the function captures are constants
    /// of its programs and compile nothing anew.
    ///
    /// ```
    /// use probpipe_trace::{Array, Interpreter, array};
    /// use probpipe_transforms::Jit;
    /// let f = Jit::new(std::sync::Arc::new(Interpreter), |(x, y): (Array, Array)| x * y);
    /// f.call((array([1.0]), array([1.0])));
    /// f.call((array([1.0]), array([1.0, 2.0])));
    /// assert_eq!(f.recompiles(), ["program 2: leaf `.1` is f32[2], program 1 takes f32[1]"]);
    /// ```
    pub fn recompiles(&self) -> Vec<String> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What of a new program's argument differs from the nearest program.
    fn reason(&self, new: &Entry, number: usize) -> String {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let known = self.first.get().into_iter().chain(others.iter().map(|entry| &**entry));
        let nearest = known.enumerate().map(|(i, old)| (i, old.differences(new)));
        match nearest.min_by_key(|(_, differences)| differences.len()) {
            Some((i, differences)) => {
                let listed = differences.join("; ").replace("{}", &format!("program {}", i + 1));
                format!("program {number}: {listed}")
            }
            None => format!("program {number}: there was none"),
        }
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
            reasons: Mutex::new(Vec::new()),
            signature: PhantomData,
        }
    }

    /// Where a call with the argument `x` spends its time; see [`Profile`]. Compiles the function
    /// anew, with clocks in it.
    ///
    /// ```
    /// use probpipe_trace::{Array, Interpreter, array};
    /// use probpipe_transforms::Jit;
    /// let f = Jit::new(std::sync::Arc::new(Interpreter), |x: Array| x.sin().sum());
    /// let profile = f.profile(&array([1.0, 2.0]))?;
    /// assert_eq!(profile.regions.len(), 2);
    /// println!("{profile}");
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn profile(&self, x: &A) -> Result<Profile> {
        profile(&*self.backend, &self.f, x)
    }

    /// Calls the function.
    pub fn call(&self, x: A) -> R {
        if is_tracing() {
            return self.record(&x);
        }
        let float = default_float();
        let Some(first) = self.first.get() else { return self.call_slowly(x) };
        // By far the most calls end here.
        if !first.reuses
            && let Some(result) = first.with_values(float, &x, |values| self.run(first, values))
        {
            return result;
        }
        self.call_other(first, float, x)
    }

    /// A call of a program that may take its arguments' memory, or of one that is not the first.
    fn call_other(&self, first: &Entry, float: DType, x: A) -> R {
        let x = match self.try_entry(first, float, x) {
            Ok(result) => return result,
            Err(x) => x,
        };
        // Found first, run without the lock.
        let Some(entry) = self.find(float, &x) else { return self.call_slowly(x) };
        match self.try_entry(&entry, float, x) {
            Ok(result) => result,
            Err(x) => self.call_slowly(x),
        }
    }

    /// The first call with arguments of a kind. Invalid ones, and those of a trace that has ended,
    /// give an invalid result.
    fn call_slowly(&self, x: A) -> R {
        for leaf in &Flatten::of(&x).leaves {
            if let Err(error) = with_location(self.location, || leaf.value()) {
                return poison(&x, &self.f, &error, self.location);
            }
        }
        self.compile_and_run(&x)
    }

    /// Runs a program if it takes the argument, which is given up then, and comes back otherwise.
    fn try_entry(&self, entry: &Entry, float: DType, x: A) -> std::result::Result<R, A> {
        let attempt = entry.with_values(float, &x, |values| {
            if entry.reuses {
                return Attempt::Taking(values.iter().map(|&value| value.clone()).collect());
            }
            Attempt::Done(entry.executable.run(values))
        });
        let results = match attempt {
            Some(Attempt::Done(results)) => results,
            Some(Attempt::Taking(given)) => {
                // The handles of arrays that the caller has no other of are then ours alone.
                drop(x);
                entry.executable.run_taking(given)
            }
            None => return Err(x),
        };
        Ok(self.finish(entry, results))
    }

    fn find(&self, float: DType, x: &A) -> Option<Arc<Entry>> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let fits = |entry: &&Arc<Entry>| {
            let mut flat = Flatten::against(&entry.input);
            entry.takes(float, x, &mut flat, &mut SmallVec::new())
        };
        others.iter().find(fits).cloned()
    }

    fn run(&self, entry: &Entry, values: &[&Value]) -> R {
        self.finish(entry, entry.executable.run(values))
    }

    #[inline]
    fn finish(&self, entry: &Entry, results: Result<Values>) -> R {
        match results {
            Ok(results) => match entry.output.build_values(results, self.location) {
                Ok(tree) => tree,
                Err(error) => invalid(&entry.output, &error, self.location),
            },
            Err(error) => invalid(&entry.output, &error.at(self.location), self.location),
        }
    }

    fn compile_and_run(&self, x: &A) -> R {
        let Unsettled { open, leaves, input, output } =
            match unsettled(self.location, x, &self.f, own_types) {
                Ok(unsettled) => unsettled,
                Err(failure) => return failed(x, &self.f, &failure, self.location),
            };
        let (traced, asked) = open.close_asked();
        let takes = |(leaf, asked): (&Array, Asked)| -> Result<Leaf> {
            let ty = leaf.ty()?;
            if !leaf.is_weak() || ty.dtype == DType::Bool {
                return Ok(Leaf::Typed(ty));
            }
            // A number that does not fit is refused once, not compiled for.
            asked.iter().try_for_each(|&dtype| leaf.value_in(dtype).map(|_| ()))?;
            Ok(Leaf::Weak(ty, asked))
        };
        let leaves: Vec<Leaf> = match leaves.iter().zip(asked).map(takes).collect() {
            Ok(leaves) => leaves,
            Err(error) => return invalid(&output, &error, self.location),
        };
        let (float, known) = (default_float(), self.same_program(&input, &leaves));
        let shared = known.is_some();
        let compiled: Result<Arc<dyn Executable>> = match known {
            Some(executable) => Ok(executable),
            None => compile_graph(&*self.backend, &finish(&traced.graph)).map(Arc::from),
        };
        let executable = match compiled {
            Ok(executable) => executable,
            Err(error) => return invalid(&output, &error.at(self.location), self.location),
        };
        let reuses = executable.reuses();
        let entry = Entry { input, leaves, float, reuses, executable, shared, output };
        let lost = || poison(x, &self.f, &internal("a program is lost"), self.location);
        let run = |entry: &Entry| {
            let result = entry.with_values(float, x, |values| self.run(entry, values));
            result.unwrap_or_else(lost)
        };
        let Err(entry) = self.first.set(entry) else {
            // It is there now, and is never taken out.
            return self.first.get().map_or_else(lost, run);
        };
        if !shared {
            let reason = self.reason(&entry, self.cache_len() + 1);
            self.reasons.lock().unwrap_or_else(PoisonError::into_inner).push(reason);
        }
        let entry = Arc::new(entry);
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        others.push(entry.clone());
        drop(others);
        run(&entry)
    }

    /// The program that takes arrays of the types in which this one would need each leaf: the same
    /// one, where each is needed in one type.
    fn same_program(&self, input: &Structure, leaves: &[Leaf]) -> Option<Arc<dyn Executable>> {
        let types: Vec<ArrayType> = leaves.iter().map(Leaf::only).collect::<Option<_>>()?;
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = self.first.get().into_iter().chain(others.iter().map(|entry| &**entry));
        let same = |entry: &&Entry| {
            let taken = entry.leaves.iter().map(Leaf::only);
            entry.float == default_float()
                && entry.input == *input
                && taken.eq(types.iter().map(|ty| Some(ty.clone())))
        };
        known.find(same).map(|entry| entry.executable.clone())
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
