//! Printed trees: labels with branches, and arrays as their types. What is printed, others say.

use probpipe_trace::{Array, Flatten, Token, Tree};

/// A label and what hangs from it.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) label: String,
    pub(super) below: Vec<Branch>,
}

impl Branch {
    /// An array: its type, or `(lit)` and a number as it was written; or its numbers.
    pub(super) fn of(array: &Array, values: bool) -> Branch {
        let label = match array.ty() {
            Err(_) => "invalid".to_string(),
            Ok(_) if array.is_literal() => format!("(lit) {array}"),
            Ok(_) if values && array.value().is_ok() => array.to_string(),
            Ok(ty) => ty.to_string(),
        };
        Branch { label, below: Vec::new() }
    }

    pub(super) fn new(label: &str, below: Vec<Branch>) -> Branch {
        Branch { label: label.to_string(), below }
    }
}

/// A tree of any type as branches: names of fields and keys, and arrays.
pub(super) fn tree<T: Tree>(tree: &T, values: bool) -> Vec<Branch> {
    let flat = Flatten::of(tree);
    let mut arrays = flat.leaves.clone().into_iter();
    let structure = flat.into_structure();
    let mut open: Vec<(String, Vec<Branch>)> = vec![(String::new(), Vec::new())];
    let mut name: Option<String> = None;
    let add = |open: &mut Vec<(String, Vec<Branch>)>, branch: Branch| {
        if let Some((_, below)) = open.last_mut() {
            below.push(branch);
        }
    };
    for token in structure.tokens() {
        match token {
            Token::Leaf => {
                let Some(array) = arrays.next() else { break };
                let leaf = Branch::of(array, values);
                let branch = match name.take() {
                    Some(name) => Branch { label: name, below: vec![leaf] },
                    None => leaf,
                };
                add(&mut open, branch);
            }
            Token::Open(kind) => {
                // A part that has a name goes by it.
                open.push((name.take().unwrap_or_else(|| kind.to_string()), Vec::new()));
            }
            Token::Close => {
                if let Some((label, below)) = open.pop() {
                    add(&mut open, Branch { label, below });
                }
            }
            Token::Field(field) => name = Some(field.to_string()),
            Token::Entry(key) => name = Some(key.to_string()),
            Token::Len(_) | Token::Variant(_) | Token::Static(_) => {}
        }
    }
    open.pop().map(|(_, below)| below).unwrap_or_default()
}

/// The text of a tree, without a line break at its end.
pub(super) fn lines(root: &Branch) -> String {
    let mut text = root.label.clone();
    hang(&mut text, &root.below, "");
    text
}

fn hang(text: &mut String, below: &[Branch], indent: &str) {
    for (i, branch) in below.iter().enumerate() {
        let last = i + 1 == below.len();
        let (mark, next) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
        let inner = format!("{indent}{next}");
        let label = branch.label.replace('\n', &format!("\n{inner}"));
        text.push_str(&format!("\n{indent}{mark}{label}"));
        hang(text, &branch.below, &inner);
    }
}
