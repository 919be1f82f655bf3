//! One axis is a list of one size.

use probpipe_trace::zeros;

fn main() {
    let _ = zeros(3);
}
