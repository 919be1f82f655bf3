//! The `Tree` derive macro.

use proc_macro::TokenStream;

/// Derives `Tree`.
#[proc_macro_derive(Tree, attributes(tree))]
pub fn derive_tree(_input: TokenStream) -> TokenStream {
    TokenStream::new()
}
