//! A key cannot be copied by accident: `Key::reuse` says what it does.

use probpipe_trace::Key;

fn twice<T: Clone>(value: T) -> (T, T) {
    (value.clone(), value)
}

fn main() {
    let _ = twice(Key::new(0));
}
