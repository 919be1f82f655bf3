//! What is no tree: references, numbers, maps without an order, long tuples.

use probpipe_trace::{Array, Flat};
use std::collections::HashMap;

type Nine = (Array, Array, Array, Array, Array, Array, Array, Array, Array);

fn main() {
    let _ = |x: &Array| Flat::of::<&Array>(&x);
    let _ = |x: i32| Flat::of(&x);
    let _ = |x: HashMap<String, Array>| Flat::of(&x);
    let _ = |x: Nine| Flat::of(&x);
}
