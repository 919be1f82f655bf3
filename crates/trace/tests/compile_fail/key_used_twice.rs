//! A key moves into the one draw that it is for.

use probpipe_trace::{Array, Key, normal};

fn draw(key: Key) -> Array {
    normal(key, [3])
}

fn main() {
    let key = Key::new(0);
    let _ = draw(key) + draw(key);
}
