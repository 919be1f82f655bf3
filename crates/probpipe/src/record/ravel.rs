//! A tree of floats as one vector, and back.

use probpipe_trace::{
    Array, DType, Error, ErrorKind, Flatten, Result, Shape, Structure, Tree, concat, here,
};

/// How a vector becomes a tree again.
#[derive(Clone, Debug)]
pub(crate) struct Unravel {
    structure: Structure,
    shapes: Vec<Shape>,
}

/// The leaves of a tree, in order, as one vector. All must be floats of one type; what
/// has no type takes that of the others.
#[track_caller]
pub(crate) fn ravel<T: Tree>(what: &str, tree: &T) -> Result<(Array, Unravel)> {
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
    /// The tree whose leaves a vector holds.
    #[track_caller]
    pub(crate) fn tree<T: Tree>(&self, x: &Array) -> Result<T> {
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
