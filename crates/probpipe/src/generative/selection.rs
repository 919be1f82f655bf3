//! Selections: sets of addresses, with the algebra of sets. What is done with the choices that they
//! hold, others say.

use super::address::{IntoAddress, within};
use probpipe_trace::{Loc, here};
use std::fmt;
use std::ops::{BitAnd, BitOr, Not};

/// A set of addresses: those that [`addresses`] lists and all below them, combined with `&`, `|`
/// and `!`. It holds no arrays and belongs to the structure of a tree: a field of this type is
/// `#[tree(static)]`.
///
/// ```
/// use probpipe::prelude::*;
/// let latents = addresses(["x", "slope"]) | addresses(["level"]);
/// assert!(latents.contains("x/pos") && latents.contains("level"));
/// assert!(!(!latents).contains("x/pos"));
/// ```
#[derive(Clone)]
pub struct Selection(Set);

#[derive(Clone)]
enum Set {
    All,
    Listed(Vec<(String, Loc)>),
    Both(Box<Set>, Box<Set>),
    Either(Box<Set>, Box<Set>),
    Not(Box<Set>),
}

/// The selection of these addresses, and of all below them.
#[track_caller]
pub fn addresses<A: IntoAddress>(list: impl IntoIterator<Item = A>) -> Selection {
    let location = here();
    let list = list.into_iter().map(|address| (address.into_address(), location));
    Selection(Set::Listed(list.collect()))
}

impl Selection {
    /// All addresses.
    pub fn all() -> Selection {
        Selection(Set::All)
    }

    /// No address.
    pub fn none() -> Selection {
        Selection(Set::Listed(Vec::new()))
    }

    /// Whether an address is in the set.
    pub fn contains(&self, address: &str) -> bool {
        self.0.contains(address)
    }

    /// The first address that was listed of which there is nothing among the given ones, and where
    /// it was listed.
    pub(super) fn unknown(&self, given: &[String]) -> Option<(&str, Loc)> {
        self.0.unknown(given)
    }

    /// Where the selection was written, if it lists anything.
    pub(super) fn location(&self) -> Option<Loc> {
        self.0.location()
    }
}

impl Set {
    fn contains(&self, address: &str) -> bool {
        match self {
            Set::All => true,
            Set::Listed(list) => list.iter().any(|(listed, _)| within(address, listed)),
            Set::Both(a, b) => a.contains(address) && b.contains(address),
            Set::Either(a, b) => a.contains(address) || b.contains(address),
            Set::Not(set) => !set.contains(address),
        }
    }

    fn unknown(&self, given: &[String]) -> Option<(&str, Loc)> {
        match self {
            Set::All => None,
            Set::Listed(list) => {
                let missing = |listed: &str| !given.iter().any(|address| within(address, listed));
                list.iter().find(|(a, _)| missing(a)).map(|(a, location)| (a.as_str(), *location))
            }
            Set::Both(a, b) | Set::Either(a, b) => a.unknown(given).or_else(|| b.unknown(given)),
            Set::Not(set) => set.unknown(given),
        }
    }

    fn location(&self) -> Option<Loc> {
        match self {
            Set::All => None,
            Set::Listed(list) => list.first().map(|(_, location)| *location),
            Set::Both(a, b) | Set::Either(a, b) => a.location().or_else(|| b.location()),
            Set::Not(set) => set.location(),
        }
    }
}

/// Sets are equal that are written alike, wherever that is.
impl PartialEq for Set {
    fn eq(&self, other: &Set) -> bool {
        match (self, other) {
            (Set::All, Set::All) => true,
            (Set::Listed(a), Set::Listed(b)) => {
                a.iter().map(|(address, _)| address).eq(b.iter().map(|(address, _)| address))
            }
            (Set::Both(a, b), Set::Both(c, d)) | (Set::Either(a, b), Set::Either(c, d)) => {
                a == c && b == d
            }
            (Set::Not(a), Set::Not(b)) => a == b,
            (Set::All | Set::Listed(_) | Set::Both(..) | Set::Either(..) | Set::Not(_), _) => false,
        }
    }
}

impl PartialEq for Selection {
    fn eq(&self, other: &Selection) -> bool {
        self.0 == other.0
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $set:ident)*) => {$(
        impl $trait for Selection {
            type Output = Selection;
            fn $method(self, other: Selection) -> Selection {
                Selection(Set::$set(Box::new(self.0), Box::new(other.0)))
            }
        }
        impl $trait<&Selection> for &Selection {
            type Output = Selection;
            fn $method(self, other: &Selection) -> Selection {
                self.clone().$method(other.clone())
            }
        }
    )*};
}
operators! { BitAnd bitand Both BitOr bitor Either }

impl Not for Selection {
    type Output = Selection;

    fn not(self) -> Selection {
        Selection(Set::Not(Box::new(self.0)))
    }
}

impl Not for &Selection {
    type Output = Selection;

    fn not(self) -> Selection {
        !self.clone()
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Set::All => f.write_str("all"),
            Set::Listed(list) if list.is_empty() => f.write_str("none"),
            Set::Listed(list) => {
                let list: Vec<String> = list.iter().map(|(a, _)| format!(":{a}")).collect();
                write!(f, "{{{}}}", list.join(", "))
            }
            Set::Both(a, b) => write!(f, "({a} & {b})"),
            Set::Either(a, b) => write!(f, "({a} | {b})"),
            Set::Not(set) => write!(f, "!{set}"),
        }
    }
}

/// Addresses in braces, with the operators between them: `!({:a, :b} | {:x})`.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selection({self})")
    }
}
