//! Generative functions: models of document 001 and their interface, on the interpreter and
//! compiled.

mod document;
