//! Trees of the standard library's containers: tuples, vectors, arrays, options and maps.

use crate::error::Result;
use crate::handle::Array;
use crate::tree::{Flatten, Nest, Rebuild, Token, Tree, mismatch};
use std::collections::BTreeMap;

impl Nest for () {
    type Of<L: Tree> = ();

    fn nest<L: Tree>(&self, _: &mut dyn FnMut() -> L) {}
}

impl Tree for () {
    fn flatten<'a>(&'a self, _: &mut Flatten<'a>) {}
    fn rebuild(_: &mut Rebuild<'_>) -> Result<()> {
        Ok(())
    }
    fn leaves_mut(&mut self, _: &mut dyn FnMut(&mut Array)) {}
}

macro_rules! tuples {
    ($(($($T:ident $index:tt),+))*) => {$(
        impl<$($T: Tree),+> Tree for ($($T,)+) {
            fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
                into.token(Token::Open("tuple"));
                $(self.$index.flatten(into);)+
                into.token(Token::Close);
            }
            fn rebuild(from: &mut Rebuild<'_>) -> Result<Self> {
                from.expect(Token::Open("tuple"))?;
                let tuple = ($($T::rebuild(from)?,)+);
                from.expect(Token::Close)?;
                Ok(tuple)
            }
            fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
                $(self.$index.leaves_mut(visit);)+
            }
        }
        impl<$($T: Nest),+> Nest for ($($T,)+) {
            type Of<Leaf: Tree> = ($($T::Of<Leaf>,)+);

            fn nest<Leaf: Tree>(&self, leaf: &mut dyn FnMut() -> Leaf) -> Self::Of<Leaf> {
                ($(self.$index.nest(leaf),)+)
            }
        }
    )*};
}
tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}

impl<T: Tree> Tree for Vec<T> {
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
        into.token(Token::Open("vec"));
        into.token(Token::Len(self.len()));
        self.iter().for_each(|part| part.flatten(into));
        into.token(Token::Close);
    }
    fn rebuild(from: &mut Rebuild<'_>) -> Result<Self> {
        from.expect(Token::Open("vec"))?;
        let n = from.length()?;
        let parts = (0..n).map(|_| T::rebuild(from)).collect::<Result<_>>()?;
        from.expect(Token::Close)?;
        Ok(parts)
    }
    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        self.iter_mut().for_each(|part| part.leaves_mut(visit));
    }
}

impl<T: Nest> Nest for Vec<T> {
    type Of<L: Tree> = Vec<T::Of<L>>;

    fn nest<L: Tree>(&self, leaf: &mut dyn FnMut() -> L) -> Self::Of<L> {
        self.iter().map(|part| part.nest(leaf)).collect()
    }
}

impl<T: Nest, const N: usize> Nest for [T; N] {
    type Of<L: Tree> = [T::Of<L>; N];

    fn nest<L: Tree>(&self, leaf: &mut dyn FnMut() -> L) -> Self::Of<L> {
        std::array::from_fn(|i| self[i].nest(leaf))
    }
}

impl<T: Nest> Nest for Option<T> {
    type Of<L: Tree> = Option<T::Of<L>>;

    fn nest<L: Tree>(&self, leaf: &mut dyn FnMut() -> L) -> Self::Of<L> {
        self.as_ref().map(|part| part.nest(leaf))
    }
}

impl<T: Nest> Nest for BTreeMap<String, T> {
    type Of<L: Tree> = BTreeMap<String, T::Of<L>>;

    fn nest<L: Tree>(&self, leaf: &mut dyn FnMut() -> L) -> Self::Of<L> {
        self.iter().map(|(key, part)| (key.clone(), part.nest(leaf))).collect()
    }
}

impl<T: Tree, const N: usize> Tree for [T; N] {
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
        into.token(Token::Open("array"));
        into.token(Token::Len(N));
        self.iter().for_each(|part| part.flatten(into));
        into.token(Token::Close);
    }
    fn rebuild(from: &mut Rebuild<'_>) -> Result<Self> {
        from.expect(Token::Open("array"))?;
        from.expect(Token::Len(N))?;
        let parts: Vec<T> = (0..N).map(|_| T::rebuild(from)).collect::<Result<_>>()?;
        from.expect(Token::Close)?;
        parts.try_into().map_err(|_| mismatch("an array has another length"))
    }
    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        self.iter_mut().for_each(|part| part.leaves_mut(visit));
    }
}

impl<T: Tree> Tree for Option<T> {
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
        into.token(Token::Variant(u32::from(self.is_some())));
        if let Some(part) = self {
            part.flatten(into);
        }
    }
    fn rebuild(from: &mut Rebuild<'_>) -> Result<Self> {
        Ok(match from.variant()? {
            0 => None,
            _ => Some(T::rebuild(from)?),
        })
    }
    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        self.iter_mut().for_each(|part| part.leaves_mut(visit));
    }
}

impl<T: Tree> Tree for BTreeMap<String, T> {
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
        into.token(Token::Open("map"));
        into.token(Token::Len(self.len()));
        for (key, part) in self {
            into.entry(key, part);
        }
        into.token(Token::Close);
    }
    fn rebuild(from: &mut Rebuild<'_>) -> Result<Self> {
        from.expect(Token::Open("map"))?;
        let n = from.length()?;
        let mut map = BTreeMap::new();
        for _ in 0..n {
            let Token::Entry(key) = from.token()? else {
                return Err(mismatch("the tree has no map entry here"));
            };
            let key = key.to_string();
            map.insert(key, T::rebuild(from)?);
        }
        from.expect(Token::Close)?;
        Ok(map)
    }
    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        self.values_mut().for_each(|part| part.leaves_mut(visit));
    }
}
