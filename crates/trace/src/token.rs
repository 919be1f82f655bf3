//! The steps of which structures of trees are made: how they compare, and how they name leaves.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

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

impl StaticValue {
    pub(crate) fn new<T: PartialEq + fmt::Debug + Send + Sync + 'static>(value: T) -> StaticValue {
        StaticValue(Arc::new(value))
    }

    pub(crate) fn equals(&self, other: &dyn Any) -> bool {
        self.0.equals(other)
    }

    /// The value, if it is of this type.
    pub(crate) fn get<T: 'static>(&self) -> Option<&T> {
        self.0.as_any().downcast_ref()
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

/// The path of every leaf, for messages: `.0.loc`, `.weights[2]`.
pub(crate) fn paths(tokens: &[Token]) -> Vec<String> {
    /// Where we are: a prefix, and how many unnamed parts were met under it.
    struct Level {
        prefix: String,
        next: usize,
        sequence: bool,
    }
    let mut paths = Vec::new();
    let mut stack = vec![Level { prefix: String::new(), next: 0, sequence: false }];
    let mut name: Option<String> = None;
    for token in tokens {
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
