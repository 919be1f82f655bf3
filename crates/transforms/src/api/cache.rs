//! The programs of a compiled function, and how an argument finds its own. Nothing here is generic
//! over the function or its trees, so that a program compiles none of it anew.

use super::inspect::compile_graph;
use super::lift::{Function, Unsettled, failed, lift_or_invalid, own_types, poison, unsettled};
use crate::extract::internal;
use crate::simplify::finish_for;
use probpipe_trace::tree::AnyTree;
use probpipe_trace::{
    Array, ArrayType, Asked, Backend, DType, Executable, Flat, Flatten, Given, Loc, Op, Result,
    Rounding, Structure, Value, Values, bind, default_float, is_tracing, rounding, with_location,
};
use smallvec::SmallVec;
use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

thread_local! {
    /// What `recompiles` has found so far, while it asks.
    pub(super) static ASKED: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// The programs of a function. Nothing of it depends on the function's types.
pub(super) struct Cache {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) location: Loc,
    /// The first program, which most functions never add to: found without a lock.
    first: OnceLock<Entry>,
    others: RwLock<Vec<Arc<Entry>>>,
    /// Why each program after the first was compiled.
    reasons: Mutex<Vec<String>>,
}

/// What is in force on the thread and belongs to what a program is.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Chosen {
    /// Literals in the function take it.
    float: DType,
    rounding: Rounding,
}

impl Chosen {
    #[inline]
    pub(super) fn now() -> Chosen {
        Chosen { float: default_float(), rounding: rounding() }
    }
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
pub(super) struct Entry {
    pub(super) input: Structure,
    leaves: Vec<Leaf>,
    /// What was in force when it was compiled.
    chosen: Chosen,
    pub(super) executable: Arc<dyn Executable>,
    /// Whether the executable is another entry's, too.
    shared: bool,
    /// Whether it may write results into the memory of its arguments.
    reuses: bool,
    pub(super) output: Structure,
}

/// A program that takes an argument.
pub(super) enum Found<'a> {
    First(&'a Entry),
    Other(Arc<Entry>),
}

impl Deref for Found<'_> {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        match self {
            Found::First(entry) => entry,
            Found::Other(entry) => entry,
        }
    }
}

/// What comes of an argument at the programs that there are.
pub(super) enum Attempt<'a> {
    /// It may write results into the memory of these arguments.
    Taking(Found<'a>, Given),
    /// It has run.
    Done(Found<'a>, Result<Values>),
    /// No program takes it.
    Unknown,
}

impl<'a> Found<'a> {
    fn attempt(self, chosen: Chosen, x: &dyn AnyTree) -> Attempt<'a> {
        let mut flat = Flatten::against(&self.input);
        x.list(&mut flat);
        if self.reuses {
            let given = |values: &[&Value]| values.iter().map(|&value| value.clone()).collect();
            let given = self.with_values(chosen, &flat, given);
            drop(flat);
            return given.map_or(Attempt::Unknown, |given| Attempt::Taking(self, given));
        }
        let results = self.run(chosen, &flat);
        drop(flat);
        results.map_or(Attempt::Unknown, |results| Attempt::Done(self, results))
    }
}

impl Entry {
    /// Calls `then` with the values of the argument whose leaves were held against the program's
    /// structure, if the program takes it. Numbers without a type of their own become values.
    /// Allocates nothing for up to eight leaves.
    #[inline]
    fn with_values<T>(
        &self,
        chosen: Chosen,
        flat: &Flatten<'_>,
        then: impl FnOnce(&[&Value]) -> T,
    ) -> Option<T> {
        if flat.fits() { self.with_leaves(chosen, &flat.leaves, then) } else { None }
    }

    /// [`Entry::with_values`] for leaves that are known to have the program's structure.
    #[inline]
    fn with_leaves<T>(
        &self,
        chosen: Chosen,
        leaves: &[&Array],
        then: impl FnOnce(&[&Value]) -> T,
    ) -> Option<T> {
        if self.chosen != chosen {
            return None;
        }
        let mut numbers: SmallVec<[Value; 4]> = SmallVec::new();
        for (leaf, takes) in leaves.iter().zip(&self.leaves) {
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
                        && asked.iter().all(|&dtype| {
                            leaf.value_ref_in(dtype).is_some()
                                || leaf.value_in(dtype).map(|value| numbers.push(value)).is_ok()
                        })
                }
                (None, Leaf::Typed(_)) => false,
            };
            if !fits {
                return None;
            }
        }
        let mut numbers = numbers.iter();
        let mut values: SmallVec<[&Value; 8]> = SmallVec::new();
        for (leaf, takes) in leaves.iter().zip(&self.leaves) {
            match (leaf.value_ref(), takes) {
                (Some(value), _) => values.push(value),
                (None, Leaf::Weak(_, asked)) => {
                    for &dtype in asked {
                        values.extend(leaf.value_ref_in(dtype).or_else(|| numbers.next()));
                    }
                }
                (None, Leaf::Typed(_)) => {}
            }
        }
        Some(then(&values))
    }

    /// Runs the program, if it takes the argument.
    pub(super) fn run(&self, chosen: Chosen, flat: &Flatten<'_>) -> Option<Result<Values>> {
        self.with_values(chosen, flat, |values| self.executable.run(values))
    }

    /// What of a new program's argument differs from this one's; `{}` stands for the program's
    /// name.
    fn differences(&self, new: &Entry) -> Vec<String> {
        let mut found = Vec::new();
        let (now, then) = (new.chosen, self.chosen);
        if now.float != then.float {
            let (now, then) = (now.float, then.float);
            found.push(format!("the default float is {now}, {{}} was compiled with {then}"));
        }
        if now.rounding != then.rounding {
            let (now, then) = (now.rounding, then.rounding);
            found.push(format!("the rounding is `{now:?}`, {{}} was compiled with `{then:?}`"));
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

impl Cache {
    pub(super) fn new(backend: Arc<dyn Backend>, location: Loc) -> Cache {
        let (first, others) = (OnceLock::new(), RwLock::new(Vec::new()));
        Cache { backend, location, first, others, reasons: Mutex::new(Vec::new()) }
    }

    pub(super) fn len(&self) -> usize {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let own = others.iter().filter(|entry| !entry.shared).count();
        usize::from(self.first.get().is_some()) + own
    }

    pub(super) fn recompiles(&self) -> Vec<String> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells `recompiles`, if it asks.
    pub(super) fn answer(&self) {
        ASKED.with_borrow_mut(|asked| {
            if let Some(found) = asked {
                found.extend(self.recompiles());
            }
        });
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

    /// The first program, if it may run now and takes nothing that is passed.
    #[inline]
    pub(super) fn plain(&self) -> Option<&Entry> {
        if is_tracing() { None } else { self.first.get().filter(|entry| !entry.reuses) }
    }

    /// Runs the program that takes the argument; prepares one that may take the argument's memory.
    pub(super) fn attempt(&self, x: &dyn AnyTree) -> Attempt<'_> {
        let (false, Some(first)) = (is_tracing(), self.first.get()) else {
            return Attempt::Unknown;
        };
        let chosen = Chosen::now();
        match Found::First(first).attempt(chosen, x) {
            Attempt::Unknown => {}
            found => return found,
        }
        let fits = |entry: &&Arc<Entry>| {
            let mut flat = Flatten::against(&entry.input);
            x.list(&mut flat);
            entry.with_values(chosen, &flat, |_| ()).is_some()
        };
        // Found first, run without the lock.
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let found = others.iter().find(fits).cloned();
        drop(others);
        found.map_or(Attempt::Unknown, |entry| Found::Other(entry).attempt(chosen, x))
    }

    /// The first call with arguments of a kind, and every call inside a trace. Invalid arguments,
    /// and those of a trace that has ended, give an invalid result.
    pub(super) fn call_slowly(&self, x: Flat, f: Function<'_>) -> Flat {
        if is_tracing() {
            return self.record(&x, f);
        }
        for leaf in &x.leaves {
            if let Err(error) = with_location(self.location, || leaf.value()) {
                return poison(&x, f, &error, self.location);
            }
        }
        self.compile_and_run(&x, f)
    }

    fn compile_and_run(&self, x: &Flat, f: Function<'_>) -> Flat {
        let location = self.location;
        let Unsettled { open, output } = match unsettled(location, x, f, &mut own_types) {
            Ok(unsettled) => unsettled,
            Err(failure) => return failed(x, f, &failure, location),
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
        let leaves: Vec<Leaf> = match x.leaves.iter().zip(asked).map(takes).collect() {
            Ok(leaves) => leaves,
            Err(error) => return Flat::invalid(&output, &error, location),
        };
        let (chosen, known) = (Chosen::now(), self.same_program(&x.structure, &leaves));
        let shared = known.is_some();
        let compiled: Result<Arc<dyn Executable>> = match known {
            Some(executable) => Ok(executable),
            None => compile_graph(&*self.backend, &finish_for(&traced.graph, &self.backend.caps()))
                .map(Arc::from),
        };
        let executable = match compiled {
            Ok(executable) => executable,
            Err(error) => return Flat::invalid(&output, &error.at(location), location),
        };
        let reuses = executable.reuses();
        let input = x.structure.clone();
        let entry = Entry { input, leaves, chosen, reuses, executable, shared, output };
        let results = self.keep(entry).and_then(|entry| {
            let leaves: Vec<&Array> = x.leaves.iter().collect();
            let results = entry.with_leaves(chosen, &leaves, |values| entry.executable.run(values));
            Some((results?, entry.output.clone()))
        });
        let results = results.ok_or_else(|| internal("a program is lost"));
        match results {
            Ok((Ok(results), output)) => {
                let leaves = results.into_iter().map(Array::from_value);
                Flat::new(output, with_location(location, || leaves.collect()), location)
            }
            Ok((Err(error), output)) => Flat::invalid(&output, &error.at(location), location),
            Err(error) => poison(x, f, &error, location),
        }
    }

    /// Adds a program.
    fn keep(&self, entry: Entry) -> Option<Found<'_>> {
        let Err(entry) = self.first.set(entry) else {
            // It is there now, and is never taken out.
            return self.first.get().map(Found::First);
        };
        if !entry.shared {
            let reason = self.reason(&entry, self.len() + 1);
            self.reasons.lock().unwrap_or_else(PoisonError::into_inner).push(reason);
        }
        let entry = Arc::new(entry);
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        others.push(entry.clone());
        Some(Found::Other(entry))
    }

    /// The program that takes arrays of the types in which this one would need each leaf: the same
    /// one, where each is needed in one type.
    fn same_program(&self, input: &Structure, leaves: &[Leaf]) -> Option<Arc<dyn Executable>> {
        let types: Vec<ArrayType> = leaves.iter().map(Leaf::only).collect::<Option<_>>()?;
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = self.first.get().into_iter().chain(others.iter().map(|entry| &**entry));
        let same = |entry: &&Entry| {
            let taken = entry.leaves.iter().map(Leaf::only);
            entry.chosen == Chosen::now()
                && entry.input == *input
                && taken.eq(types.iter().map(|ty| Some(ty.clone())))
        };
        known.find(same).map(|entry| entry.executable.clone())
    }

    /// Inside a trace: one call, whose graph takes the captured arrays as its last inputs.
    fn record(&self, x: &Flat, f: Function<'_>) -> Flat {
        let lifted = match lift_or_invalid(self.location, x, f) {
            Ok(lifted) => lifted,
            Err(invalid) => return *invalid,
        };
        let op = Op::Call { graph: Arc::new(lifted.graph), name: "jit", lane: None };
        let operands: SmallVec<[&Array; 8]> = lifted.operands.iter().collect();
        let results = with_location(self.location, || bind(op, &operands));
        Flat::new(lifted.output, results.into_vec(), self.location)
    }
}
