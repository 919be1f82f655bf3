//! A tree of floats as one vector, and back.

use probpipe_trace::{
    Array, DType, Error, ErrorKind, Flatten, Result, Shape, Structure, Tree, concat, here,
};

/// How a vector becomes a tree again: what [`ravel`] gives beside the vector.
#[derive(Clone, Debug)]
pub struct Unravel {
    structure: Structure,
    shapes: Vec<Shape>,
}

/// The leaves of a tree, in order, as one vector of shape `[n]`, and the way back, as
/// `jax.flatten_util.ravel_pytree` has it. All must be
/// floats of one type; what has no type takes that of the others.
///
/// ```
/// use probpipe::prelude::*;
/// let (x, unravel) = ravel(&(array([1.0, 2.0]), array(3.0)))?;
/// assert_eq!(x.to_vec::<f32>()?, [1.0, 2.0, 3.0]);
/// let (a, b): (Array, Array) = unravel.tree(&(x * 2.0))?;
/// assert_eq!((a.to_vec::<f32>()?, b.item::<f32>()?), (vec![2.0, 4.0], 6.0));
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// A leaf that is invalid, no float, or of another float type than those before it; no leaves.
#[track_caller]
pub fn ravel<T: Tree>(tree: &T) -> Result<(Array, Unravel)> {
    ravel_as("the tree", tree)
}

/// [`ravel`] of what goes by a name in errors.
#[track_caller]
pub(crate) fn ravel_as<T: Tree>(what: &str, tree: &T) -> Result<(Array, Unravel)> {
    let flat = Flatten::of(tree);
    let typed = flat.leaves.iter().find(|a| !a.is_weak());
    let weak = flat.leaves.iter().find(|a| a.dtype().is_float());
    let dtype = typed.or(weak).map_or_else(probpipe_trace::default_float, |a| a.dtype());
    let mut pieces = Vec::with_capacity(flat.leaves.len());
    let mut shapes = Vec::with_capacity(flat.leaves.len());
    for &leaf in &flat.leaves {
        let ty = leaf.ty()?;
        if !dtype.is_float() || !leaf.is_weak() && ty.dtype != dtype {
            return Err(one_type(what, dtype, ty.dtype).note("made", Some(leaf.location())));
        }
        shapes.push(ty.shape.clone());
        pieces.push(leaf.in_dtype(dtype).flatten());
    }
    if pieces.is_empty() {
        return Err(Error::new(ErrorKind::Value, format!("{what} holds no array"))
            .at(here())
            .help("give at least one number to vary"));
    }
    Ok((concat(&pieces, 0), Unravel { structure: flat.into_structure(), shapes }))
}

#[track_caller]
fn one_type(what: &str, first: DType, other: DType) -> Error {
    let message = if first.is_float() {
        format!("{what} mixes {first} with {other}")
    } else {
        format!("{what} is made of {first}, not of floats")
    };
    Error::new(ErrorKind::DType, message)
        .at(here())
        .help("convert its parts to one float type with `.cast(DType::F32)` or `.cast(DType::F64)`")
}

impl Unravel {
    /// The tree whose leaves a vector holds. `T` is the type that was ravelled, or one of the same
    /// structure.
    ///
    /// # Errors
    /// A vector of another length, or a tree of another structure.
    #[track_caller]
    pub fn tree<T: Tree>(&self, x: &Array) -> Result<T> {
        let n: usize = self.shapes.iter().map(|shape| shape.iter().product::<usize>()).sum();
        let ty = x.ty()?;
        if ty.shape[..] != [n] {
            let message = format!("a tree of {n} numbers cannot be made of {ty}");
            return Err(Error::new(ErrorKind::Shape, message)
                .at(here())
                .note("made", Some(x.location()))
                .help("give a vector as long as the one that `ravel` gave"));
        }
        let mut at = 0;
        let mut leaves = Vec::with_capacity(self.shapes.len());
        for shape in &self.shapes {
            let n: usize = shape.iter().product();
            leaves.push(x.slice_axis(0, at..at + n).reshape(shape));
            at += n;
        }
        self.structure.again(leaves, here())
    }
}
