//! Several trees of one structure combined leaf by leaf. For one tree there is [`Tree::map`].

use crate::context::here;
use crate::flat::Flat;
use crate::handle::Array;
use crate::tree::{Tree, mismatch};
use crate::types::Loc;

/// Combines two trees of one structure leaf by leaf. Trees that differ give invalid leaves.
///
/// ```
/// use probpipe_trace::{array, tree_map};
/// let moved = tree_map(|p, g| p - g * 0.1, (array(1.0), array(2.0)), (array(10.0), array(0.0)));
/// assert_eq!(moved.0.item::<f32>()?, 0.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
#[doc(alias = "tree.map")]
pub fn tree_map<T: Tree>(mut f: impl FnMut(Array, Array) -> Array, a: T, b: T) -> T {
    let trees = [Flat::of(&a), Flat::of(&b)];
    let location = here();
    let combined = combined("`tree_map` of two trees", location, trees, &mut |[a, b]| f(a, b));
    combined.put_in(a, location)
}

/// Combines three trees of one structure leaf by leaf. Trees that differ give invalid leaves.
///
/// ```
/// use probpipe_trace::{Array, Tree, array, tree_map3};
/// #[derive(Tree, Clone)]
/// # #[tree(crate = probpipe_trace)]
/// struct Line {
///     slope: Array,
///     level: Array,
/// }
/// let line = Line { slope: array(2.0), level: array(1.0) };
/// let (gradient, scale) = (line.clone(), line.clone().map(|x| x * 2.0));
/// let moved = tree_map3(|p, g, s| p - 0.5 * g / s, line, gradient, scale);
/// assert_eq!((moved.slope.item::<f32>()?, moved.level.item::<f32>()?), (1.75, 0.75));
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn tree_map3<T: Tree>(mut f: impl FnMut(Array, Array, Array) -> Array, a: T, b: T, c: T) -> T {
    let trees = [Flat::of(&a), Flat::of(&b), Flat::of(&c)];
    let location = here();
    let f = &mut |[a, b, c]: [Array; 3]| f(a, b, c);
    combined("`tree_map3` of three trees", location, trees, f).put_in(a, location)
}

fn combined<const N: usize>(
    what: &str,
    location: Loc,
    trees: [Flat; N],
    f: &mut dyn FnMut([Array; N]) -> Array,
) -> Flat {
    let structure = trees[0].structure.clone();
    if trees.iter().any(|tree| tree.structure != structure) {
        return Flat::invalid(&structure, &mismatch(what), location);
    }
    let leaf = |i: usize| f(std::array::from_fn(|k| trees[k].leaves[i].clone()));
    Flat { leaves: (0..structure.num_leaves()).map(leaf).collect(), structure }
}
