//! What may be given where a tree is wanted: the tree itself, or numbers in the place of its
//! arrays. What a tree is, `tree` says.

use crate::handle::Array;
use std::collections::BTreeMap;

/// Given where a tree `T` is wanted: the tree, or one in which numbers and `&Array` stand for
/// arrays, as in `(&x, 1.0)` for `(Array, Array)`. `#[derive(Tree)]` implements it for the type
/// itself.
///
/// ```
/// use probpipe_trace::{Array, IntoTree, array};
/// let x = array([1.0, 2.0]);
/// let pair: (Array, (Array, Array)) = (&x, (1.0, 3)).into_tree();
/// assert_eq!(pair.1.1.item::<i32>()?, 3);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given where `{T}` is wanted",
    note = "give a tree of the same form, in which numbers may stand for arrays: `(&x, 1.0)` for \
            `(Array, Array)`, `()` for nothing"
)]
pub trait IntoTree<T> {
    /// The tree.
    #[track_caller]
    fn into_tree(self) -> T;
}

impl IntoTree<()> for () {
    fn into_tree(self) {}
}

macro_rules! arrays {
    ($($t:ty)*) => {$(
        impl IntoTree<Array> for $t {
            #[track_caller]
            fn into_tree(self) -> Array {
                self.into()
            }
        }
    )*};
}
arrays! { Array &Array f32 f64 i32 i64 u32 u64 usize bool }

macro_rules! tuples {
    ($(($($X:ident $T:ident $index:tt),+))*) => {$(
        impl<$($T, $X: IntoTree<$T>),+> IntoTree<($($T,)+)> for ($($X,)+) {
            #[track_caller]
            fn into_tree(self) -> ($($T,)+) {
                ($(self.$index.into_tree(),)+)
            }
        }
    )*};
}
tuples! {
    (A X 0)
    (A X 0, B Y 1)
    (A X 0, B Y 1, C Z 2)
    (A X 0, B Y 1, C Z 2, D W 3)
    (A X 0, B Y 1, C Z 2, D W 3, E V 4)
    (A X 0, B Y 1, C Z 2, D W 3, E V 4, F U 5)
    (A X 0, B Y 1, C Z 2, D W 3, E V 4, F U 5, G S 6)
    (A X 0, B Y 1, C Z 2, D W 3, E V 4, F U 5, G S 6, H R 7)
}

impl<T, X: IntoTree<T>> IntoTree<Vec<T>> for Vec<X> {
    fn into_tree(self) -> Vec<T> {
        self.into_iter().map(IntoTree::into_tree).collect()
    }
}

impl<T, X: IntoTree<T>> IntoTree<Option<T>> for Option<X> {
    fn into_tree(self) -> Option<T> {
        self.map(IntoTree::into_tree)
    }
}

impl<T, X: IntoTree<T>, const N: usize> IntoTree<[T; N]> for [X; N] {
    fn into_tree(self) -> [T; N] {
        self.map(IntoTree::into_tree)
    }
}

impl<T, X: IntoTree<T>> IntoTree<BTreeMap<String, T>> for BTreeMap<String, X> {
    fn into_tree(self) -> BTreeMap<String, T> {
        self.into_iter().map(|(key, x)| (key, x.into_tree())).collect()
    }
}
