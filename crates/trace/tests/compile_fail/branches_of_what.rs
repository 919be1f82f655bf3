//! Branches come in an array or a tuple.

use probpipe_trace::{Array, array, switch};

fn main() {
    let _ = switch(0, array(1.0), vec![|x: Array| x]);
}
