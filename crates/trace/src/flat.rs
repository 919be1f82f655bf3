//! Trees taken apart, and functions on trees as functions on these. What a transform or a loop does
//! with a closure is written, and compiled, once behind `dyn Fn(Flat) -> Flat`; of each closure
//! only the way between its trees and their leaves is compiled with the program that has it.

use crate::error::{Error, Result};
use crate::handle::Array;
use crate::tree::{Flatten, Structure, Tree, mismatch, with_leaves};
use crate::types::Loc;
use std::cell::Cell;
use std::fmt;

/// A tree taken apart: its leaves, and the structure that builds it again.
///
/// ```
/// use probpipe_trace::{Array, Flat, array, here};
/// let flat = Flat::of(&(array(1.0), vec![array(2.0)]));
/// assert_eq!(flat.leaves.len(), 2);
/// let (a, b): (Array, Vec<Array>) = flat.map(|x| x * 2.0).tree(here())?;
/// assert_eq!((a.item::<f32>()?, b[0].item::<f32>()?), (2.0, 4.0));
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Flat {
    /// The leaves, in the structure's order.
    pub leaves: Vec<Array>,
    /// All but the leaves.
    pub structure: Structure,
}

impl Flat {
    /// Takes a tree apart.
    pub fn of<T: Tree>(tree: &T) -> Flat {
        let mut flat = Flatten::default();
        tree.flatten(&mut flat);
        Flat::taken_from(flat)
    }

    fn taken_from(flat: Flatten<'_>) -> Flat {
        let (leaves, structure) = flat.cloned();
        Flat { leaves, structure }
    }

    /// A structure with these leaves. If their number is another, which is a fault of who made
    /// them, all are invalid.
    pub fn new(structure: Structure, leaves: Vec<Array>, location: Loc) -> Flat {
        if leaves.len() == structure.num_leaves() {
            return Flat { leaves, structure };
        }
        let error = mismatch("a list of leaves does not fit its tree");
        Flat::invalid(&structure, &error, location)
    }

    /// A structure with the error in every leaf.
    pub fn invalid(structure: &Structure, error: &Error, location: Loc) -> Flat {
        let leaf = Array::invalid(error.clone(), location);
        Flat { leaves: vec![leaf; structure.num_leaves()], structure: structure.clone() }
    }

    /// What stands for a result that there is not: the error as the one leaf.
    fn fault(error: Error, location: Loc) -> Flat {
        Flat::of(&Array::invalid(error, location))
    }

    /// Two trees as one, their pair.
    pub fn pair(mut self, other: Flat) -> Flat {
        let structure = self.structure.pair(&other.structure);
        self.leaves.extend(other.leaves);
        Flat { leaves: self.leaves, structure }
    }

    /// The tree, of the type that was taken apart. Fails, naming the type, where its `rebuild` does
    /// not read what its `flatten` wrote; see [`Structure::again`].
    pub fn tree<T: Tree>(self, location: Loc) -> Result<T> {
        self.structure.again(self.leaves, location)
    }

    /// The leaves in the place of those of `tree`, which has the structure. Of a tree that has
    /// another one all leaves are invalid.
    pub fn put_in<T: Tree>(self, tree: T, location: Loc) -> T {
        let leaves = self.leaves_for(&tree.structure(), None, location);
        with_leaves(tree, leaves, location)
    }

    /// The leaves for a tree of this structure. If it is another one they are invalid for the
    /// reason that there is among the leaves, or the given one.
    fn leaves_for(self, other: &Structure, error: Option<&Error>, location: Loc) -> Vec<Array> {
        if self.structure.reads_as(other) {
            return self.leaves;
        }
        let error = self.error().or(error).cloned();
        let error = error.unwrap_or_else(|| mismatch("a result does not fit its tree"));
        Flat::invalid(other, &error, location).leaves
    }

    /// The same structure with every leaf replaced.
    pub fn map(&self, f: impl FnMut(&Array) -> Array) -> Flat {
        Flat { leaves: self.leaves.iter().map(f).collect(), structure: self.structure.clone() }
    }

    /// The error of the first leaf that has one.
    pub fn error(&self) -> Option<&Error> {
        self.leaves.iter().find_map(Array::error)
    }

    /// The leaves that have no error of their own get this one.
    pub fn spoiled(&self, error: &Error, location: Loc) -> Flat {
        self.map(|leaf| match leaf.error() {
            Some(_) => leaf.clone(),
            None => Array::invalid(error.clone(), location),
        })
    }

    /// Leaves without an element type of their own get the one they have by themselves.
    pub fn typed(mut self) -> Flat {
        for leaf in &mut self.leaves {
            if leaf.is_weak() {
                *leaf = leaf.decided();
            }
        }
        self
    }
}

/// A function on trees as one on trees taken apart. An argument of a type that cannot be put
/// together again gives an error as its one leaf; where a tree is wanted back, see [`Shell`].
pub fn on_flat<'a, A: Tree, R: Tree>(
    location: Loc,
    f: &'a dyn Fn(A) -> R,
) -> impl Fn(Flat) -> Flat + 'a {
    move |x| match x.tree(location) {
        Ok(x) => Flat::of(&f(x)),
        Err(error) => Flat::fault(error, location),
    }
}

/// A function of a user on trees, for who works with leaves: what it was given and what it gave are
/// kept, so that results are put into trees that there are and none need be made.
///
/// Types that refuse to be put together again (see [`Tree`]) are errors in the result: that comes
/// of the function itself, on its argument with invalid leaves.
pub struct Shell<A, R> {
    location: Loc,
    argument: Cell<Option<A>>,
    result: Cell<Option<R>>,
}

impl<A, R> fmt::Debug for Shell<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell").field("location", &self.location).finish_non_exhaustive()
    }
}

impl<A: Tree, R: Tree> Shell<A, R> {
    /// For a function that is called with the argument at `location`.
    pub fn new(location: Loc, argument: impl Into<Option<A>>) -> Shell<A, R> {
        Shell { location, argument: Cell::new(argument.into()), result: Cell::new(None) }
    }

    /// The function on trees taken apart.
    pub fn on<'a>(&'a self, f: &'a dyn Fn(A) -> R) -> impl Fn(Flat) -> Flat + 'a {
        move |x| match x.tree(self.location) {
            Ok(x) => {
                let result = f(x);
                let flat = Flat::of(&result);
                self.result.set(Some(result));
                flat
            }
            Err(error) => Flat::fault(error, self.location),
        }
    }

    /// [`Shell::on`], whose results are errors if they cannot be put together again.
    pub fn on_again<'a>(&'a self, f: &'a dyn Fn(A) -> R) -> impl Fn(Flat) -> Flat + 'a {
        let f = self.on(f);
        move |x| {
            let flat = f(x);
            match flat.error().is_none().then(|| flat.clone().tree::<R>(self.location)) {
                Some(Err(error)) => flat.spoiled(&error, self.location),
                _ => flat,
            }
        }
    }

    /// The result of `f` with these leaves.
    pub fn result(&self, f: &dyn Fn(A) -> R, y: Flat) -> R {
        let location = self.location;
        let kept = self.result.take();
        if let Some(kept) = kept {
            if kept.structure().reads_as(&y.structure) {
                return with_leaves(kept, y.leaves, location);
            }
            self.result.set(Some(kept));
        }
        let error = match y.clone().tree(location) {
            Ok(tree) => return tree,
            Err(error) => error,
        };
        let spoilt = |x: A| {
            let bad = Flat::of(&x).spoiled(y.error().unwrap_or(&error), location);
            f(bad.put_in(x, location))
        };
        let kept = self.result.take().or_else(|| self.argument.take().map(spoilt));
        match kept {
            Some(kept) => {
                let leaves = y.leaves_for(&kept.structure(), Some(&error), location);
                with_leaves(kept, leaves, location)
            }
            None => last_resort(&error),
        }
    }

    /// The argument with these leaves.
    pub fn argument(&self, x: Flat) -> A {
        match self.argument.take() {
            Some(argument) => x.put_in(argument, self.location),
            None => x.tree(self.location).unwrap_or_else(|error| last_resort(&error)),
        }
    }
}

impl<A: Tree, B: Tree, R: Tree, S: Tree> Shell<(A, B), (R, S)> {
    /// A function of two trees that gives two on trees taken apart.
    pub(crate) fn on_pair(&self, f: &dyn Fn((A, B)) -> (R, S), a: Flat, b: Flat) -> [Flat; 2] {
        let pair = a.tree(self.location).and_then(|a| Ok((a, b.tree(self.location)?)));
        match pair {
            Ok(x) => {
                let (a, b) = f(x);
                let flats = [Flat::of(&a), Flat::of(&b)];
                self.result.set(Some((a, b)));
                flats
            }
            Err(error) => {
                let fault = Flat::fault(error, self.location);
                [fault.clone(), fault]
            }
        }
    }
}

/// A function on trees taken apart.
type OnFlat<'a> = &'a dyn Fn(Flat) -> Flat;

/// The result of a function on trees by what does its work on leaves.
pub fn through<A: Tree, R: Tree>(
    location: Loc,
    f: &dyn Fn(A) -> R,
    x: A,
    core: &mut dyn FnMut(OnFlat<'_>, Flat) -> Flat,
) -> R {
    let flat = Flat::of(&x);
    let shell = Shell::new(location, x);
    let y = core(&shell.on(f), flat);
    shell.result(f, y)
}

/// There is no tree of the type, and it refuses to be made: what [`Tree`] tells of.
#[cold]
pub fn last_resort(error: &Error) -> ! {
    panic!("{error}")
}

/// A function that is called once, as others are.
pub(crate) fn once<A, R>(f: impl FnOnce(A) -> R) -> impl Fn(A) -> R {
    let f = Cell::new(Some(f));
    move |x| match f.take() {
        Some(f) => f(x),
        None => spent(),
    }
}

#[cold]
fn spent() -> ! {
    unreachable!("a function that is called once was called again")
}
