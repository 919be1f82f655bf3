//! Generative functions: models of document 001 and their interface, on the interpreter and
//! compiled.

mod branches;
mod document;
mod errors;
mod identities;
mod incremental;
mod marginals;
mod models;
mod training;
mod trees;
