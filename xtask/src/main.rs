//! Development tasks of probpipe.
fn main() {}
