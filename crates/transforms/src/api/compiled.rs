//! A program compiled ahead of its first call: what threads share.

use super::inspect::compile_graph;
use super::lift::lift_plain;
use crate::simplify::finish_for;
use probpipe_trace::{
    ArrayType, Backend, Error, ErrorKind, Executable, Flat, Flatten, Loc, Result, Structure, Tree,
    Value, on_flat,
};
use smallvec::SmallVec;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

/// The program of a function for arguments like one, without the function: it can be called from
/// several threads at once, whatever the function captured, and never compiles again.
///
/// ```
/// use probpipe_trace::{Array, Interpreter, array};
/// use probpipe_transforms::Compiled;
/// let double = Compiled::new(&Interpreter, |x: Array| x * 2.0, &array([1.0, 2.0]))?;
/// let from_threads: Vec<f32> = std::thread::scope(|threads| {
///     let run = |i: u8| double.call(array([f32::from(i), 0.0]))?.sum().item::<f32>();
///     let handles: Vec<_> = (1..3).map(|i| threads.spawn(move || run(i))).collect();
///     handles.into_iter().filter_map(|handle| handle.join().ok()?.ok()).collect()
/// });
/// assert_eq!(from_threads, [2.0, 4.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
pub struct Compiled<A, R> {
    input: Structure,
    types: Vec<ArrayType>,
    output: Structure,
    executable: Box<dyn Executable>,
    location: Loc,
    signature: PhantomData<fn(A) -> R>,
}

impl<A, R> fmt::Debug for Compiled<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled").field("types", &self.types).finish_non_exhaustive()
    }
}

impl<A: Tree, R: Tree> Compiled<A, R> {
    /// Traces and compiles a function for a backend, for arguments of the structure and types of
    /// `x`.
    ///
    /// # Errors
    /// Those of the function and of the backend; a function that captures arrays of a trace that is
    /// still open.
    #[track_caller]
    pub fn new(backend: &dyn Backend, f: impl Fn(A) -> R, x: &A) -> Result<Compiled<A, R>> {
        let location = Location::caller();
        let x = Flat::of(x);
        let lifted = lift_plain(location, &x, &on_flat(location, &f)).map_err(|it| it.error)?;
        if lifted.operands.len() > lifted.arguments {
            let message = "a program of its own cannot use arrays that are not known yet";
            return Err(Error::new(ErrorKind::Trace, message)
                .at(location)
                .help("compile it outside of other functions, or use `jit`"));
        }
        let types = lifted.operands.iter().map(|leaf| leaf.ty()).collect::<Result<_>>()?;
        let executable = compile_graph(backend, &finish_for(&lifted.graph, &backend.caps()))
            .map_err(|error| error.at(location))?;
        Ok(Compiled {
            input: x.structure,
            types,
            output: lifted.output,
            executable,
            location,
            signature: PhantomData,
        })
    }

    /// Runs the program.
    ///
    /// # Errors
    /// An argument of another structure or other types; what the program reports.
    #[track_caller]
    pub fn call(&self, x: A) -> Result<R> {
        let location = Location::caller();
        let mut flat = Flatten::against(&self.input);
        x.flatten(&mut flat);
        if !flat.fits() || flat.leaves.len() != self.types.len() {
            let message = "the argument has another structure than the program was compiled for";
            return Err(Error::new(ErrorKind::Tree, message).at(location));
        }
        let mut values: SmallVec<[Value; 8]> = SmallVec::new();
        for (leaf, ty) in flat.leaves.iter().zip(&self.types) {
            let value = leaf.value()?;
            if value.ty() != ty {
                let message = format!("the program takes {ty}, not {}", value.ty());
                return Err(Error::new(ErrorKind::Shape, message)
                    .at(location)
                    .note("it was compiled", Some(self.location)));
            }
            values.push(value);
        }
        let values: SmallVec<[&Value; 8]> = values.iter().collect();
        let results = self.executable.run(&values).map_err(|error| error.at(location))?;
        self.output.build_values(results, self.location)
    }
}
