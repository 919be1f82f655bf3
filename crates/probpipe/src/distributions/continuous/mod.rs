//! Families on the real line, by file.

mod normal;

pub use normal::Normal;
