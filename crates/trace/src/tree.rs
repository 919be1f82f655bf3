//! Trees of arrays: tuples, vectors, options, maps and structs whose leaves are [`Array`]s. Every
//! function that is transformed takes one tree and gives one tree.

use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
use crate::types::Loc;
use crate::value::{Value, Values};
use smallvec::SmallVec;
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A type made of arrays. Derive it for structs and enums with `#[derive(Tree)]`; fields that
/// belong to the structure and not to the data are marked `#[tree(static)]`.
///
/// Who writes it by hand promises that `rebuild` accepts what `flatten` gave: functions that take
/// a tree apart and put it together again panic where it does not. Derived trees always do.
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

    /// The structure without the leaves.
    fn structure(&self) -> Structure {
        Flatten::of(self).into_structure()
    }

    /// The leaves, cloned.
    fn leaves(&self) -> Vec<Array> {
        Flatten::of(self).cloned().0
    }

    /// The same tree with every leaf replaced.
    fn map(&self, mut f: impl FnMut(&Array) -> Array) -> Self {
        let (leaves, structure) = Flatten::of(self).mapped(&mut f);
        match structure.build(leaves) {
            Ok(tree) => tree,
            Err(error) => broken(&error),
        }
    }
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

/// One step of a structure.
#[derive(Clone, Debug)]
pub enum Token {
    /// An array.
    Leaf,
    /// A tuple, struct or sequence begins.
    Open(&'static str),
    /// A named part follows.
    Field(&'static str),
    /// A map entry follows.
    Entry(Arc<str>),
    /// A sequence of this many parts follows.
    Len(usize),
    /// The variant of an enum or option.
    Variant(u32),
    /// A value that belongs to the structure.
    Static(StaticValue),
    /// What began last ends.
    Close,
}

impl PartialEq for Token {
    #[inline]
    fn eq(&self, other: &Token) -> bool {
        // Names are nearly always the same text of the same type's code.
        let named = |a: &'static str, b: &'static str| std::ptr::eq(a, b) || a == b;
        match (self, other) {
            (Token::Leaf, Token::Leaf) | (Token::Close, Token::Close) => true,
            (Token::Open(a), Token::Open(b)) | (Token::Field(a), Token::Field(b)) => named(a, b),
            (Token::Entry(a), Token::Entry(b)) => a == b,
            (Token::Len(a), Token::Len(b)) => a == b,
            (Token::Variant(a), Token::Variant(b)) => a == b,
            (Token::Static(a), Token::Static(b)) => a == b,
            (
                Token::Leaf
                | Token::Close
                | Token::Open(_)
                | Token::Field(_)
                | Token::Entry(_)
                | Token::Len(_)
                | Token::Variant(_)
                | Token::Static(_),
                _,
            ) => false,
        }
    }
}

/// A value of any comparable type, kept in a structure.
#[derive(Clone)]
pub struct StaticValue(Arc<dyn AnyStatic>);

trait AnyStatic: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn equals(&self, other: &dyn Any) -> bool;
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl<T: PartialEq + fmt::Debug + Send + Sync + 'static> AnyStatic for T {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn equals(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<T>() == Some(self)
    }
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl PartialEq for StaticValue {
    fn eq(&self, other: &StaticValue) -> bool {
        self.0.equals(other.0.as_any())
    }
}

impl fmt::Debug for StaticValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f)
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
                expected.next(|other| matches!(other, Token::Static(v) if v.0.equals(value)));
            }
            None => self.tokens.push(Token::Static(StaticValue(Arc::new(value.clone())))),
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

/// A structure taken from a tree builds trees of its type; [`Tree`] says who promises that.
#[cold]
pub(crate) fn broken(error: &Error) -> ! {
    unreachable!("{error}")
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
        self.build_from(Leaves::Values(values.drain(..), location))
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
        /// Where we are: a prefix, and how many unnamed parts were met under it.
        struct Level {
            prefix: String,
            next: usize,
            sequence: bool,
        }
        let mut paths = Vec::new();
        let mut stack = vec![Level { prefix: String::new(), next: 0, sequence: false }];
        let mut name: Option<String> = None;
        for token in &self.tokens {
            let depth = stack.len();
            let mut part = |stack: &mut Vec<Level>| {
                let level = &mut stack[depth - 1];
                let index = level.next;
                level.next += 1;
                let step = name.take().unwrap_or_else(|| match (depth, level.sequence) {
                    (1, _) => String::new(),
                    (_, true) => format!("[{index}]"),
                    (_, false) => format!(".{index}"),
                });
                format!("{}{step}", level.prefix)
            };
            match token {
                Token::Leaf => {
                    let path = part(&mut stack);
                    paths.push(path);
                }
                Token::Open(_) => {
                    let prefix = part(&mut stack);
                    stack.push(Level { prefix, next: 0, sequence: false });
                }
                Token::Len(_) => {
                    if let Some(level) = stack.last_mut() {
                        level.sequence = true;
                    }
                }
                Token::Field(field) => name = Some(format!(".{field}")),
                Token::Entry(key) => name = Some(format!("[{key:?}]")),
                Token::Variant(_) | Token::Static(_) => {}
                Token::Close => {
                    if stack.len() > 1 {
                        stack.pop();
                    }
                }
            }
        }
        paths
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
            Token::Static(value) => value
                .0
                .as_any()
                .downcast_ref::<T>()
                .cloned()
                .ok_or_else(|| mismatch("a static field has another type")),
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
}
