//! The `Tree` derive macro: structs and enums of arrays as trees. It writes `flatten`,
//! `rebuild` and `leaves_mut` field by field; what a tree is, `probpipe_trace::Tree` says.

#![forbid(unsafe_code)]

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Field, Fields, Path, Result, parse_macro_input, parse_quote};

/// Derives `Tree` for a struct or enum whose fields are trees.
///
/// `#[tree(static)]` on a field makes its value part of the structure: it must be
/// `Clone + PartialEq + Debug + Send + Sync + 'static`. `#[tree(crate = path)]` on the type names
/// the crate that holds the module `tree`; the default is `::probpipe`.
#[proc_macro_derive(Tree, attributes(tree))]
pub fn derive_tree(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(input).unwrap_or_else(|e| e.to_compile_error()).into()
}

fn expand(input: DeriveInput) -> Result<Tokens> {
    let krate = crate_path(&input)?;
    let name = &input.ident;
    let mut generics = input.generics.clone();
    for param in generics.type_params_mut() {
        param.bounds.push(parse_quote!(#krate::tree::Tree));
    }
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let (flatten, rebuild, visit) = match &input.data {
        Data::Struct(data) => {
            let Parts { pattern, flatten, rebuild, visit } =
                fields(&krate, quote!(#name), &data.fields)?;
            let text = name.to_string();
            (
                quote! {
                    let #pattern = self;
                    into.token(#krate::tree::Token::Open(#text));
                    #flatten
                    into.token(#krate::tree::Token::Close);
                },
                quote! {
                    from.expect(#krate::tree::Token::Open(#text))?;
                    let tree = #rebuild;
                    from.expect(#krate::tree::Token::Close)?;
                    Ok(tree)
                },
                quote! {
                    let #pattern = self;
                    #visit
                },
            )
        }
        Data::Enum(data) => {
            let mut flatten_arms = Vec::new();
            let mut rebuild_arms = Vec::new();
            let mut visit_arms = Vec::new();
            for (i, variant) in data.variants.iter().enumerate() {
                let (ident, i) = (&variant.ident, i as u32);
                let Parts { pattern, flatten, rebuild, visit } =
                    fields(&krate, quote!(#name::#ident), &variant.fields)?;
                let text = ident.to_string();
                visit_arms.push(quote!(#pattern => { #visit }));
                flatten_arms.push(quote! {
                    #pattern => {
                        into.token(#krate::tree::Token::Variant(#i));
                        into.token(#krate::tree::Token::Open(#text));
                        #flatten
                        into.token(#krate::tree::Token::Close);
                    }
                });
                rebuild_arms.push(quote! {
                    #i => {
                        from.expect(#krate::tree::Token::Open(#text))?;
                        let tree = #rebuild;
                        from.expect(#krate::tree::Token::Close)?;
                        Ok(tree)
                    }
                });
            }
            let text = name.to_string();
            (
                quote!(match self { #(#flatten_arms)* }),
                quote! {
                    match from.variant()? {
                        #(#rebuild_arms)*
                        other => Err(#krate::Error::new(
                            #krate::ErrorKind::Tree,
                            format!("{} has no variant {other}", #text),
                        )),
                    }
                },
                // A reference to an enum without variants is a value all the same.
                match visit_arms.is_empty() {
                    true => quote!(match *self {}),
                    false => quote!(match self { #(#visit_arms)* }),
                },
            )
        }
        Data::Union(_) => {
            return Err(Error::new_spanned(name, "a union cannot be a tree: its field is unknown"));
        }
    };
    Ok(quote! {
        impl #impl_generics #krate::tree::Tree for #name #type_generics #where_clause {
            fn flatten<'tree>(&'tree self, into: &mut #krate::tree::Flatten<'tree>) {
                #flatten
            }
            fn rebuild(from: &mut #krate::tree::Rebuild<'_>) -> #krate::Result<Self> {
                #rebuild
            }
            #[allow(unused_variables)]
            fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut #krate::Array)) {
                #visit
            }
        }
        impl #impl_generics #krate::tree::Nest for #name #type_generics #where_clause {
            type Of<TreeLeaf: #krate::tree::Tree> = ::std::collections::BTreeMap<String, TreeLeaf>;
            fn nest<TreeLeaf: #krate::tree::Tree>(
                &self,
                leaf: &mut dyn FnMut() -> TreeLeaf,
            ) -> Self::Of<TreeLeaf> {
                #krate::tree::nest_by_path(self, leaf)
            }
        }
        impl #impl_generics #krate::tree::IntoTree<#name #type_generics>
            for #name #type_generics #where_clause
        {
            fn into_tree(self) -> Self {
                self
            }
        }
    })
}

/// What is written for the fields of a struct or variant.
struct Parts {
    /// A pattern that binds every field.
    pattern: Tokens,
    /// The statements that flatten them.
    flatten: Tokens,
    /// The expression that rebuilds the value.
    rebuild: Tokens,
    /// The statements that visit their leaves.
    visit: Tokens,
}

fn fields(krate: &Path, constructor: Tokens, fields: &Fields) -> Result<Parts> {
    let mut bindings = Vec::new();
    let mut flatten = Vec::new();
    let mut rebuild = Vec::new();
    let mut visit = Vec::new();
    for (i, field) in fields.iter().enumerate() {
        let binding = format_ident!("field_{i}");
        let label = field.ident.as_ref().map_or_else(|| i.to_string(), |name| name.to_string());
        let member = match &field.ident {
            Some(name) => quote!(#name),
            None => {
                let index = syn::Index::from(i);
                quote!(#index)
            }
        };
        bindings.push(quote!(#member: #binding));
        if is_static(field)? {
            flatten.push(quote!(into.fixed(#binding);));
            rebuild.push(quote!(#member: from.fixed()?));
        } else {
            // Named, the type that is no tree is where the compiler points.
            let ty = &field.ty;
            flatten.push(quote!(into.field::<#ty>(#label, #binding);));
            rebuild.push(quote!(#member: from.field::<#ty>(#label)?));
            visit.push(quote!(<#ty as #krate::tree::Tree>::leaves_mut(#binding, visit);));
        }
    }
    Ok(Parts {
        pattern: quote!(#constructor { #(#bindings),* }),
        flatten: quote!(#(#flatten)*),
        rebuild: quote!(#constructor { #(#rebuild),* }),
        visit: quote!(#(#visit)*),
    })
}

fn is_static(field: &Field) -> Result<bool> {
    let mut found = false;
    for attribute in field.attrs.iter().filter(|a| a.path().is_ident("tree")) {
        attribute.parse_nested_meta(|meta| {
            // `static` is a keyword, which `is_ident` compares like any other.
            if meta.path.is_ident("static") {
                found = true;
                Ok(())
            } else {
                Err(meta.error("a field takes `#[tree(static)]`"))
            }
        })?;
    }
    Ok(found)
}

fn crate_path(input: &DeriveInput) -> Result<Path> {
    let mut path: Path = parse_quote!(::probpipe);
    for attribute in input.attrs.iter().filter(|a| a.path().is_ident("tree")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                path = meta.value()?.parse()?;
                Ok(())
            } else {
                Err(meta.error("a type takes `#[tree(crate = path)]`"))
            }
        })?;
    }
    Ok(path)
}
