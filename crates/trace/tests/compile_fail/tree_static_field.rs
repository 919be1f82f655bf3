//! A field that holds no array belongs to the structure.

use probpipe_trace::{Array, Tree};

#[derive(Tree)]
#[tree(crate = probpipe_trace)]
struct Layer {
    weights: Array,
    width: usize,
}

fn main() {
    let _ = |layer: Layer| layer.width;
}
