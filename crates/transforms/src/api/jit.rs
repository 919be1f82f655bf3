//! Compilation: a function is traced, simplified and compiled once for each structure and types of
//! its argument, and called many times. Inside an open trace it is one call of its graph. Here is
//! what is generic of it; the programs are kept in `cache.rs`.

use super::cache::{ASKED, Attempt, Cache, Chosen, Entry};
use super::inspect::profile_at;
use probpipe_trace::{
    Backend, Error, Flat, Flatten, Interpreter, Profile, Result, Shell, Tree, Values, on_flat,
};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

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
pub fn jit<A: Tree, R: Tree>(f: impl Fn(A) -> R) -> impl Fn(A) -> R + Clone {
    jit_on(Arc::new(Interpreter), f)
}

/// Compiles a function on first use, for a backend. The structure of the result must be a function
/// of the structure and types of the argument. Arrays with a value that `f` captures become
/// constants of the program.
///
/// What is passed is given up: on the CPU and on the GPU a result may be written into the memory
/// of a large array of which no other handle is left, so that `x = f(x)` in a loop works in place.
/// Pass a clone, which copies no data, to keep an array.
///
/// A clone of the function shares its programs. [`recompiles`] says why there is more than one.
#[track_caller]
pub fn jit_on<A: Tree, R: Tree>(
    backend: Arc<dyn Backend>,
    f: impl Fn(A) -> R,
) -> impl Fn(A) -> R + Clone {
    let compiled = Shared(Arc::new(Jit::new(backend, f)));
    move |x| compiled.call(x)
}

/// Why each program after the first of a compiled function was compiled: what of the argument
/// differs from the program that is most like it; see [`Jit::recompiles`]. `f` is what [`jit`]
/// gave, or a closure that owns such functions, of which it is those of all; of a function that
/// was not compiled there are none.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::{jit, recompiles};
/// let f = jit(|x: Array| x.sin());
/// f(array([1.0]));
/// f(array([1.0, 2.0]));
/// assert_eq!(recompiles(&f), ["program 2: the argument is f32[2], program 1 takes f32[1]"]);
/// ```
pub fn recompiles<A, R>(f: &(impl Fn(A) -> R + Clone)) -> Vec<String> {
    /// Ends the asking also when a clone panics.
    struct Asking(Option<Vec<String>>);
    impl Drop for Asking {
        fn drop(&mut self) {
            ASKED.set(self.0.take());
        }
    }
    let _asking = Asking(ASKED.replace(Some(Vec::new())));
    drop(f.clone());
    ASKED.take().unwrap_or_default()
}

/// What the closure of a compiled function holds. A closure can only be called or cloned, so a
/// clone is how it is asked for its programs: calls do not pay for it.
struct Shared<A, R, F>(Arc<Jit<A, R, F>>);

impl<A: Tree, R: Tree, F: Fn(A) -> R> Shared<A, R, F> {
    #[inline]
    fn call(&self, x: A) -> R {
        self.0.call(x)
    }
}

impl<A, R, F> Clone for Shared<A, R, F> {
    fn clone(&self) -> Self {
        self.0.cache.answer();
        Shared(self.0.clone())
    }
}

/// A compiled function as an object, for those who want to look at its cache.
pub struct Jit<A, R, F> {
    f: F,
    cache: Cache,
    signature: PhantomData<fn(A) -> R>,
}

impl<A, R, F> fmt::Debug for Jit<A, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jit")
            .field("backend", &self.cache.backend.name())
            .field("programs", &self.cache_len())
            .finish_non_exhaustive()
    }
}

impl<A, R, F> Jit<A, R, F> {
    /// Number of programs compiled so far.
    pub fn cache_len(&self) -> usize {
        self.cache.len()
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
        self.cache.recompiles()
    }
}

impl<A: Tree, R: Tree, F: Fn(A) -> R> Jit<A, R, F> {
    /// A function that is compiled on first use.
    #[track_caller]
    pub fn new(backend: Arc<dyn Backend>, f: F) -> Jit<A, R, F> {
        Jit { f, cache: Cache::new(backend, Location::caller()), signature: PhantomData }
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
        let backend = &*self.cache.backend;
        let location = Location::caller();
        profile_at(location, backend, &on_flat(location, &self.f), &Flat::of(x))
    }

    /// Calls the function.
    pub fn call(&self, x: A) -> R {
        // By far the most calls end here.
        if let Some(first) = self.cache.plain() {
            let mut flat = Flatten::against(&first.input);
            x.flatten(&mut flat);
            if let Some(results) = first.run(Chosen::now(), &flat) {
                return self.finish(first, results);
            }
        }
        self.call_other(x)
    }

    /// A call of a program that may take its arguments' memory, of one that is not the first, or
    /// of one that there is not yet.
    fn call_other(&self, x: A) -> R {
        match self.cache.attempt(&x) {
            Attempt::Done(entry, results) => self.finish(&entry, results),
            Attempt::Taking(entry, given) => {
                // The handles of arrays that the caller has no other of are then ours alone.
                drop(x);
                self.finish(&entry, entry.executable.run_taking(given))
            }
            Attempt::Unknown => self.call_slowly(x),
        }
    }

    /// The call of the function itself. That the type of its result can be put together again,
    /// which all later calls do, is found out here.
    fn call_slowly(&self, x: A) -> R {
        let flat = Flat::of(&x);
        let shell = Shell::new(self.cache.location, x);
        let y = self.cache.call_slowly(flat, &shell.on_again(&self.f));
        shell.result(&self.f, y)
    }

    #[inline]
    fn finish(&self, entry: &Entry, results: Result<Values>) -> R {
        let location = self.cache.location;
        match results.and_then(|results| entry.output.build_values(results, location)) {
            Ok(tree) => tree,
            Err(error) => self.refused(entry, error.at(location)),
        }
    }

    /// The invalid result of a call, by the function itself where its type makes none.
    #[cold]
    fn refused(&self, entry: &Entry, error: Error) -> R {
        let location = self.cache.location;
        let bad = |structure| Flat::invalid(structure, &error, location);
        let x: Option<A> = bad(&entry.input).tree(location).ok();
        Shell::new(location, x).result(&self.f, bad(&entry.output))
    }
}
