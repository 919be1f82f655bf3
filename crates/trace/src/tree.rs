//! Trees of arrays: tuples, vectors, options, maps and structs whose leaves are [`Array`]s. Every
//! function that is transformed takes one tree and gives one tree.

use crate::context::here;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
use crate::token::paths;
use crate::types::Loc;
use crate::value::{Value, Values};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::fmt;

pub use crate::into_tree::IntoTree;
pub use crate::token::{StaticValue, Token};

/// A type made of arrays. Derive it for structs and enums with `#[derive(Tree)]`; fields that
/// belong to the structure and not to the data are marked `#[tree(static)]`.
///
/// Who writes it by hand promises that the three methods agree: `rebuild` reads what `flatten`
/// wrote and puts every leaf, as it is, where it was taken from; `leaves_mut` visits the leaves
/// that `flatten` lists. Derived trees always do. A function that is given a tree of which
/// `rebuild` does not gives an invalid result, which names the type and the line of the call. Only
/// where such a tree would have to be made out of nothing is there a panic with the same message:
/// the pulled-back argument of a `vjp` or `linear_transpose`, the blocks of a Jacobian, the
/// gradient beside the `aux` of `grad_aux`, what a callback gives that makes none itself, and the
/// result of a type whose `leaves_mut` hides leaves as well.
///
/// ```
/// use probpipe_trace::{Array, Tree, array};
/// let doubled = (array(1.0), vec![array(2.0)]).map(|x| x * 2.0);
/// assert_eq!(doubled.1[0].item::<f32>()?, 4.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tree of arrays",
    label = "not a tree",
    note = "trees are `Array`, `Key`, tuples of up to eight trees, `Vec`, `Option`, arrays and \
            `BTreeMap<String, _>` of trees, and structs and enums with `#[derive(Tree)]`",
    note = "arrays are passed by value: clone an `&Array`, which copies no data",
    note = "a number is a leaf as an array: `array(1.0)`; in a struct, a field that is no array is \
            marked `#[tree(static)]`",
    note = "more than eight parts are a struct or nested tuples; a `HashMap`, which has no order, is \
            a `BTreeMap`"
)]
pub trait Tree: Sized {
    /// Lists the leaves and the structure, in one fixed order.
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>);

    /// Builds the tree again from leaves in that order.
    fn rebuild(from: &mut Rebuild<'_>) -> Result<Self>;

    /// Calls `visit` with every leaf in that order, to be replaced where it is.
    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array));

    /// The structure without the leaves.
    fn structure(&self) -> Structure {
        Flatten::of(self).into_structure()
    }

    /// The leaves, cloned.
    fn leaves(&self) -> Vec<Array> {
        Flatten::of(self).cloned().0
    }

    /// The same tree with every leaf replaced, where it is.
    #[track_caller]
    fn map(mut self, mut f: impl FnMut(&Array) -> Array) -> Self {
        replace(&mut self, std::any::type_name::<Self>(), here(), &mut |_, leaf| f(leaf));
        self
    }

    /// Another tree like this one, with every leaf replaced. Fails where `rebuild` does not read
    /// what `flatten` wrote.
    ///
    /// ```
    /// use probpipe_trace::{Array, Tree, array};
    /// let pair = (array(1.0), array(2.0));
    /// let doubled = pair.try_map(|x| x * 2.0)?;
    /// assert_eq!((pair.1.item::<f32>()?, doubled.1.item::<f32>()?), (2.0, 4.0));
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    fn try_map(&self, mut f: impl FnMut(&Array) -> Array) -> Result<Self> {
        let (leaves, structure) = Flatten::of(self).mapped(&mut f);
        structure.again(leaves, here())
    }
}

/// A tree of a type that is not told: what is done with it is compiled once.
pub trait AnyTree {
    /// [`Tree::flatten`].
    fn list<'a>(&'a self, into: &mut Flatten<'a>);
    /// [`Tree::leaves_mut`].
    fn visit(&mut self, visit: &mut dyn FnMut(&mut Array));
}

impl<T: Tree> AnyTree for T {
    fn list<'a>(&'a self, into: &mut Flatten<'a>) {
        self.flatten(into);
    }
    fn visit(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        self.leaves_mut(visit);
    }
}

/// Replaces the leaves of a tree, of the type `name`, where they are.
fn replace(
    tree: &mut dyn AnyTree,
    name: &str,
    location: Loc,
    with: &mut dyn FnMut(usize, &Array) -> Array,
) {
    let listed: SmallVec<[*const Array; 8]> = {
        let mut flat = Flatten::default();
        tree.list(&mut flat);
        flat.leaves.iter().map(|&leaf| std::ptr::from_ref(leaf)).collect()
    };
    let (mut next, mut strays) = (0, false);
    tree.visit(&mut |leaf| {
        match listed.get(next) {
            Some(&place) if std::ptr::eq(place, leaf) => *leaf = with(next, leaf),
            _ => strays = true,
        }
        next += 1;
    });
    if next == listed.len() && !strays {
        return;
    }
    let what = "its `leaves_mut` does not visit what its `flatten` lists";
    let error = unfit(name, what, location);
    tree.visit(&mut |leaf| *leaf = Array::invalid(error.clone(), location));
    let mut flat = Flatten::default();
    tree.list(&mut flat);
    let hidden = flat.leaves.iter().any(|leaf| leaf.error().is_none());
    // The last resort that `Tree` tells of: the tree would pass for a right one.
    assert!(!hidden, "{error}");
}

/// The tree with other leaves, put where its own are. If their number is another, which is a fault
/// of who made them, all are invalid.
pub(crate) fn with_leaves<T: Tree>(mut tree: T, leaves: Vec<Array>, location: Loc) -> T {
    refill(&mut tree, std::any::type_name::<T>(), leaves, location);
    tree
}

fn refill(tree: &mut dyn AnyTree, name: &str, leaves: Vec<Array>, location: Loc) {
    let mut flat = Flatten::default();
    tree.list(&mut flat);
    let fits = flat.leaves.len() == leaves.len();
    drop(flat);
    let error = mismatch("a list of leaves does not fit its tree");
    let mut leaves = leaves.into_iter();
    replace(tree, name, location, &mut |_, _| match leaves.next() {
        Some(leaf) if fits => leaf,
        _ => Array::invalid(error.clone(), location),
    });
}

/// A type that breaks the promise of [`Tree`].
fn unfit(name: &str, what: &str, location: Loc) -> Error {
    Error::new(ErrorKind::Tree, format!("`{name}` is no tree: {what}"))
        .at(location)
        .help("derive `Tree`, or read, write and visit the same parts in the same order")
}

/// A tree of which each leaf can be replaced by a whole tree, as the Jacobian of a function has a
/// tree like its argument for each leaf of its result. Arrays, tuples, sequences and maps keep
/// their form; a struct or enum becomes a map from the paths of its leaves, such as `weights[0]`.
///
/// ```
/// use probpipe_trace::{Nest, array};
/// let pair = (array(1.0), vec![array(2.0)]);
/// let mut next = 0.0;
/// let nested = pair.nest(&mut || {
///     next += 1.0;
///     (array(next), array(-next))
/// });
/// assert_eq!(nested.1[0].1.item::<f32>()?, -2.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "the leaves of `{Self}` cannot be replaced by trees",
    note = "`#[derive(Tree)]` implements `Nest` too"
)]
pub trait Nest: Tree {
    /// The tree with an `L` at each leaf.
    type Of<L: Tree>: Tree;

    /// Calls `leaf` for each leaf, in order.
    fn nest<L: Tree>(&self, leaf: &mut dyn FnMut() -> L) -> Self::Of<L>;
}

/// The leaves of a tree by their paths: what derived types nest into.
pub fn nest_by_path<T: Tree, L: Tree>(
    tree: &T,
    leaf: &mut dyn FnMut() -> L,
) -> BTreeMap<String, L> {
    let paths = tree.structure().paths().into_iter();
    paths.map(|path| (path.trim_start_matches('.').to_string(), leaf())).collect()
}

impl Nest for Array {
    type Of<L: Tree> = L;

    fn nest<L: Tree>(&self, leaf: &mut dyn FnMut() -> L) -> L {
        leaf()
    }
}

/// Collects the leaves and structure of a tree, or compares its structure with one seen before.
#[derive(Debug, Default)]
pub struct Flatten<'a> {
    /// The leaves so far.
    pub leaves: SmallVec<[&'a Array; 8]>,
    tokens: SmallVec<[Token; 8]>,
    /// What must still come, where the structure is compared instead of noted.
    expected: Option<Expected<'a>>,
}

#[derive(Debug)]
struct Expected<'a> {
    rest: &'a [Token],
    differs: bool,
}

impl<'a> Expected<'a> {
    #[inline]
    fn next(&mut self, fits: impl FnOnce(&'a Token) -> bool) {
        match self.rest.split_first() {
            Some((token, rest)) if !self.differs && fits(token) => self.rest = rest,
            _ => self.differs = true,
        }
    }
}

impl<'a> Flatten<'a> {
    /// Leaves and structure of `tree`.
    pub fn of<T: Tree>(tree: &'a T) -> Flatten<'a> {
        let mut flat = Flatten::default();
        tree.flatten(&mut flat);
        flat
    }

    /// To compare a tree with a structure: call its [`Tree::flatten`] with this, then ask
    /// [`Flatten::fits`]. Nothing is allocated for up to eight leaves.
    #[inline]
    pub fn against(structure: &'a Structure) -> Flatten<'a> {
        let expected = Some(Expected { rest: &structure.tokens, differs: false });
        Flatten { leaves: SmallVec::new(), tokens: SmallVec::new(), expected }
    }

    /// Whether the tree has the structure given to [`Flatten::against`].
    #[inline]
    pub fn fits(&self) -> bool {
        matches!(self.expected, Some(Expected { rest: [], differs: false }))
    }

    /// Adds a leaf.
    #[inline]
    pub fn leaf(&mut self, array: &'a Array) {
        self.leaves.push(array);
        self.token(Token::Leaf);
    }

    /// Adds a step of the structure.
    #[inline]
    pub fn token(&mut self, token: Token) {
        match &mut self.expected {
            Some(expected) => expected.next(|other| *other == token),
            None => self.tokens.push(token),
        }
    }

    /// Adds a named part.
    #[inline]
    pub fn field<T: Tree>(&mut self, name: &'static str, part: &'a T) {
        self.token(Token::Field(name));
        part.flatten(self);
    }

    /// Adds a map entry.
    pub fn entry<T: Tree>(&mut self, key: &str, part: &'a T) {
        match &mut self.expected {
            Some(expected) => {
                expected.next(|other| matches!(other, Token::Entry(other) if **other == *key));
            }
            None => self.tokens.push(Token::Entry(key.into())),
        }
        part.flatten(self);
    }

    /// Adds a value that belongs to the structure.
    pub fn fixed<T: Clone + PartialEq + fmt::Debug + Send + Sync + 'static>(&mut self, value: &T) {
        match &mut self.expected {
            Some(expected) => {
                expected.next(|other| matches!(other, Token::Static(v) if v.equals(value)));
            }
            None => self.tokens.push(Token::Static(StaticValue::new(value.clone()))),
        }
    }

    /// Whether the structure equals one seen before; does not allocate.
    pub fn matches(&self, structure: &Structure) -> bool {
        self.tokens[..] == structure.tokens[..]
    }

    /// The structure.
    pub fn into_structure(self) -> Structure {
        Structure { tokens: self.tokens }
    }

    /// The leaves, cloned, and the structure.
    pub(crate) fn cloned(self) -> (Vec<Array>, Structure) {
        self.mapped(&mut Array::clone)
    }

    fn mapped(self, f: &mut dyn FnMut(&Array) -> Array) -> (Vec<Array>, Structure) {
        let leaves = self.leaves.iter().map(|&a| f(a)).collect();
        (leaves, self.into_structure())
    }
}

/// The shape of a tree: all but its leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    tokens: SmallVec<[Token; 8]>,
}

impl Structure {
    /// The steps, in order.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Number of leaves.
    pub fn num_leaves(&self) -> usize {
        self.tokens.iter().filter(|t| **t == Token::Leaf).count()
    }

    /// The tree with the given leaves.
    pub fn build<T: Tree>(&self, leaves: Vec<Array>) -> Result<T> {
        self.build_from(Leaves::Arrays(leaves.into_iter()))
    }

    /// The tree with the given values as leaves, made at `location`. Allocates nothing but what
    /// the tree itself needs.
    pub fn build_values<T: Tree>(&self, mut values: Values, location: Loc) -> Result<T> {
        let tree = self.build_from(Leaves::Values(values.drain(..), location));
        tree.map_err(|error| unread(std::any::type_name::<T>(), Some(error), location))
    }

    /// The tree that this structure was taken of, with other leaves. Fails, naming the type, where
    /// its `rebuild` does not read what its `flatten` wrote: that it makes a tree of this
    /// structure, with these leaves in these places, is checked.
    pub fn again<T: Tree>(&self, leaves: Vec<Array>, location: Loc) -> Result<T> {
        let given = leaves.clone();
        let tree: Result<T> = self.build(leaves);
        let mut flat = Flatten::against(self);
        if let Ok(tree) = &tree {
            tree.flatten(&mut flat);
        }
        let same = flat.leaves.len() == given.len()
            && flat.leaves.iter().zip(&given).all(|(a, b)| a.is_same(b));
        let fits = flat.fits();
        drop(flat);
        match tree {
            Ok(tree) if same && (fits || self.reads_as(&tree.structure())) => Ok(tree),
            tree => Err(unread(std::any::type_name::<T>(), tree.err(), location)),
        }
    }

    /// Whether the steps are the same, those too of static values that do not equal themselves, as
    /// NaN.
    pub(crate) fn reads_as(&self, other: &Structure) -> bool {
        let same = |(a, b): (&Token, &Token)| match (a, b) {
            (Token::Static(a), Token::Static(b)) => a == b || format!("{a:?}") == format!("{b:?}"),
            _ => a == b,
        };
        self.tokens.len() == other.tokens.len() && self.tokens.iter().zip(&other.tokens).all(same)
    }

    /// The structure of the pair of two trees.
    pub(crate) fn pair(&self, other: &Structure) -> Structure {
        let parts = self.tokens.iter().chain(&other.tokens).cloned();
        let tokens = std::iter::once(Token::Open("tuple")).chain(parts);
        Structure { tokens: tokens.chain(std::iter::once(Token::Close)).collect() }
    }

    #[inline]
    fn build_from<T: Tree>(&self, leaves: Leaves<'_>) -> Result<T> {
        let mut from = Rebuild { tokens: self.tokens.iter(), leaves };
        let tree = T::rebuild(&mut from)?;
        from.end()?;
        Ok(tree)
    }

    /// The tree with every leaf invalid for the same reason.
    pub fn invalid<T: Tree>(&self, error: &Error, location: Loc) -> Result<T> {
        let leaf = Array::invalid(error.clone(), location);
        self.build(vec![leaf; self.num_leaves()])
    }

    /// The path of every leaf, for messages: `.0.loc`, `.weights[2]`.
    pub fn paths(&self) -> Vec<String> {
        paths(&self.tokens)
    }
}

/// Gives leaves and structure back in the order of [`Flatten`].
#[derive(Debug)]
pub struct Rebuild<'a> {
    tokens: std::slice::Iter<'a, Token>,
    leaves: Leaves<'a>,
}

#[derive(Debug)]
enum Leaves<'a> {
    Arrays(std::vec::IntoIter<Array>),
    Values(smallvec::Drain<'a, [Value; 4]>, Loc),
}

impl Leaves<'_> {
    #[inline]
    fn next(&mut self) -> Option<Array> {
        match self {
            Leaves::Arrays(arrays) => arrays.next(),
            Leaves::Values(values, location) => {
                values.next().map(|value| Array::concrete(value, location))
            }
        }
    }
}

fn unread(name: &str, refusal: Option<Error>, location: Loc) -> Error {
    let error = unfit(name, "its `rebuild` does not read what its `flatten` wrote", location);
    match refusal {
        Some(refusal) => {
            error.note(format!("`rebuild` fails: {}", refusal.message()), refusal.location())
        }
        None => error,
    }
}

pub(crate) fn mismatch(what: &str) -> Error {
    Error::new(ErrorKind::Tree, format!("{what}: the trees differ in structure"))
        .help("a function must get and give the same structure each time it is called")
}

impl Rebuild<'_> {
    /// The next step of the structure.
    #[inline]
    pub fn token(&mut self) -> Result<&Token> {
        self.tokens.next().ok_or_else(|| mismatch("the tree ends too early"))
    }

    /// The next step, which must be `expected`.
    #[inline]
    pub fn expect(&mut self, expected: Token) -> Result<()> {
        let token = self.token()?;
        if *token == expected { Ok(()) } else { Err(mismatch("the tree has another part")) }
    }

    /// The next leaf.
    #[inline]
    pub fn leaf(&mut self) -> Result<Array> {
        self.expect(Token::Leaf)?;
        self.leaves.next().ok_or_else(|| mismatch("the tree has too few leaves"))
    }

    /// Nothing is left.
    fn end(&mut self) -> Result<()> {
        match self.leaves.next().is_some() || self.tokens.next().is_some() {
            true => Err(mismatch("the tree has parts left over")),
            false => Ok(()),
        }
    }

    /// The next part, which must have this name.
    #[inline]
    pub fn field<T: Tree>(&mut self, name: &'static str) -> Result<T> {
        self.expect(Token::Field(name))?;
        T::rebuild(self)
    }

    /// The next variant number.
    pub fn variant(&mut self) -> Result<u32> {
        match self.token()? {
            Token::Variant(v) => Ok(*v),
            _ => Err(mismatch("the tree has no variant here")),
        }
    }

    /// The next length.
    pub fn length(&mut self) -> Result<usize> {
        match self.token()? {
            Token::Len(n) => Ok(*n),
            _ => Err(mismatch("the tree has no sequence here")),
        }
    }

    /// The next value that belongs to the structure.
    pub fn fixed<T: Clone + 'static>(&mut self) -> Result<T> {
        match self.token()? {
            Token::Static(value) => {
                value.get::<T>().cloned().ok_or_else(|| mismatch("a static field has another type"))
            }
            _ => Err(mismatch("the tree has no static field here")),
        }
    }
}

impl Tree for Array {
    #[inline]
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
        into.leaf(self);
    }
    #[inline]
    fn rebuild(from: &mut Rebuild<'_>) -> Result<Array> {
        from.leaf()
    }
    #[inline]
    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        visit(self);
    }
}
