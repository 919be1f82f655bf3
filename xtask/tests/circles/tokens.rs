//! The paths that stand in a piece of source, also within calls of macros: a walk over its tokens.
//! It knows nothing of files and modules.

use proc_macro2::{TokenStream, TokenTree};

/// One name that a `use` brings in, or all names of a module.
#[derive(Debug, PartialEq)]
pub enum Use {
    /// A path, and the name that it goes by here.
    Name(Vec<String>, String),
    Glob(Vec<String>),
}

impl Use {
    pub fn glob(&self) -> Option<&Vec<String>> {
        match self {
            Use::Name(..) => None,
            Use::Glob(path) => Some(path),
        }
    }
}

/// The `use` declarations among the tokens of an item, wherever they stand in it, and all other
/// paths; of a single name too, as a glob may have brought it in.
pub fn paths(tokens: TokenStream) -> (Vec<syn::ItemUse>, Vec<Vec<String>>) {
    let (mut uses, mut paths) = (Vec::new(), Vec::new());
    walk(tokens, &mut uses, &mut paths);
    (uses, paths)
}

fn walk(tokens: TokenStream, uses: &mut Vec<syn::ItemUse>, paths: &mut Vec<Vec<String>>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is = |at: usize, c: char| match tokens.get(at) {
        Some(TokenTree::Punct(punct)) => punct.as_char() == c,
        _ => false,
    };
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        i += 1;
        let ident = match token {
            TokenTree::Group(group) => {
                walk(group.stream(), uses, paths);
                continue;
            }
            TokenTree::Ident(ident) => ident.to_string(),
            TokenTree::Punct(_) | TokenTree::Literal(_) => continue,
        };
        if ident == "use" {
            let length = (i..tokens.len()).find(|&at| is(at, ';')).map_or(0, |at| at + 2 - i);
            let declaration = tokens[i - 1..].iter().take(length).cloned().collect();
            if let Ok(declaration) = syn::parse2(declaration) {
                uses.push(declaration);
                i += length - 1;
                continue;
            }
        }
        // What follows a dot is a method or a field, a quote a lifetime, `::` another crate's.
        let before = |c: char| i >= 2 && is(i - 2, c);
        let apart = before('\'')
            || before('.') && !(i >= 3 && is(i - 3, '.'))
            || before(':') && i >= 3 && is(i - 3, ':');
        let mut path = vec![ident];
        while is(i, ':') && is(i + 1, ':') {
            // A parameter of a macro stands for some name of the module before it.
            let parameter = is(i + 2, '$');
            let next = i + 2 + usize::from(parameter);
            let Some(TokenTree::Ident(name)) = tokens.get(next) else { break };
            path.push(if parameter { format!("${name}") } else { name.to_string() });
            i = next + 1;
        }
        if !apart {
            paths.push(path);
        }
    }
}

/// The names that a `use` brings in, each with its whole path. None where it starts at `::`.
pub fn leaves(declaration: &syn::ItemUse) -> Vec<Use> {
    let mut leaves = Vec::new();
    if declaration.leading_colon.is_none() {
        collect(&declaration.tree, &[], &mut leaves);
    }
    leaves
}

fn collect(tree: &syn::UseTree, prefix: &[String], leaves: &mut Vec<Use>) {
    let with = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
    let name = |name: &syn::Ident| if name == "self" { prefix.to_vec() } else { with(name) };
    match tree {
        syn::UseTree::Path(path) => collect(&path.tree, &with(&path.ident), leaves),
        syn::UseTree::Name(leaf) => {
            let path = name(&leaf.ident);
            let last = path.last().cloned().unwrap_or_default();
            leaves.push(Use::Name(path, last));
        }
        syn::UseTree::Rename(leaf) => {
            leaves.push(Use::Name(name(&leaf.ident), leaf.rename.to_string()));
        }
        syn::UseTree::Glob(_) => leaves.push(Use::Glob(prefix.to_vec())),
        syn::UseTree::Group(group) => {
            group.items.iter().for_each(|item| collect(item, prefix, leaves));
        }
    }
}
