//! A shape is a list, not a tuple.

use probpipe_trace::zeros;

fn main() {
    let _ = zeros((2, 3));
}
