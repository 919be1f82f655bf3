//! Records as trees. As those of a map their parts go by their names: where leaves are named, where
//! axes are given by key, and where trees are printed.

use super::{Part, Record};
use probpipe_trace::{
    Array, Error, ErrorKind, Flatten, IntoTree, Nest, Rebuild, Result, Token, Tree, nest_by_path,
};
use std::collections::BTreeMap;

impl Tree for Record {
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
        into.token(Token::Open("record"));
        into.token(Token::Len(self.len()));
        for (name, part) in self.parts() {
            into.entry(name, part);
        }
        into.token(Token::Close);
    }

    fn rebuild(from: &mut Rebuild<'_>) -> Result<Record> {
        from.expect(Token::Open("record"))?;
        let n = from.length()?;
        let mut record = Record::default();
        for _ in 0..n {
            let Token::Entry(name) = from.token()? else {
                return Err(Error::new(ErrorKind::Tree, "the tree has no part of a record here"));
            };
            let name = name.to_string();
            record.names.push(name);
            record.parts.push(Part::rebuild(from)?);
        }
        from.expect(Token::Close)?;
        Ok(record)
    }

    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        self.parts.iter_mut().for_each(|part| part.leaves_mut(visit));
    }
}

impl Tree for Part {
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
        match self {
            Part::Array(array) => {
                into.token(Token::Variant(0));
                into.leaf(array);
            }
            Part::Record(record) => {
                into.token(Token::Variant(1));
                record.flatten(into);
            }
        }
    }

    fn rebuild(from: &mut Rebuild<'_>) -> Result<Part> {
        match from.variant()? {
            0 => from.leaf().map(Part::Array),
            _ => Record::rebuild(from).map(Part::Record),
        }
    }

    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        match self {
            Part::Array(array) => visit(array),
            Part::Record(record) => record.leaves_mut(visit),
        }
    }
}

macro_rules! by_path {
    ($($t:ty)*) => {$(
        impl Nest for $t {
            type Of<Leaf: Tree> = BTreeMap<String, Leaf>;

            fn nest<Leaf: Tree>(&self, leaf: &mut dyn FnMut() -> Leaf) -> Self::Of<Leaf> {
                nest_by_path(self, leaf)
            }
        }

        impl IntoTree<$t> for $t {
            fn into_tree(self) -> $t {
                self
            }
        }
    )*};
}
by_path! { Record Part }
