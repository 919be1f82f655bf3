//! Trees taken apart, and functions on trees as functions on these. What a transform or a loop does
//! with a closure is written, and compiled, once behind `dyn Fn(Flat) -> Flat`; of each closure only
//! the way between its trees and their leaves is compiled with the program that has it.

use crate::error::Error;
use crate::handle::Array;
use crate::tree::{Flatten, Structure, Tree, broken, mismatch};
use crate::types::Loc;

/// A tree taken apart: its leaves, and the structure that builds it again.
///
/// ```
/// use probpipe_trace::{Array, Flat, array};
/// let flat = Flat::of(&(array(1.0), vec![array(2.0)]));
/// assert_eq!(flat.leaves.len(), 2);
/// let (a, b): (Array, Vec<Array>) = flat.map(|x| x * 2.0).tree();
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

    /// The tree, of the type that was taken apart.
    pub fn tree<T: Tree>(self) -> T {
        match self.structure.build(self.leaves) {
            Ok(tree) => tree,
            Err(error) => broken(&error),
        }
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

/// A function on trees as one on trees taken apart.
pub fn on_flat<A: Tree, R: Tree, F: Fn(A) -> R>(f: &F) -> impl Fn(Flat) -> Flat {
    move |x| Flat::of(&f(x.tree()))
}

/// [`on_flat`] for a function that is called once.
pub(crate) fn once<A: Tree, R: Tree, F: FnOnce(A) -> R>(f: F) -> impl FnMut(Flat) -> Flat {
    let mut f = Some(f);
    move |x| Flat::of(&taken(&mut f)(x.tree()))
}

/// What is used once.
pub(crate) fn taken<F>(f: &mut Option<F>) -> F {
    match f.take() {
        Some(f) => f,
        None => spent(),
    }
}

#[cold]
fn spent() -> ! {
    unreachable!("a function that is called once was called again")
}
