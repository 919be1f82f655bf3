//! The page of names says what the sources say.

#[path = "../src/names/mod.rs"]
mod names;

use std::path::Path;

#[test]
fn the_page_of_names_is_fresh() {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository");
    let page = names::page(root).unwrap_or_else(|e| panic!("{e}"));
    let kept = std::fs::read_to_string(root.join(names::PAGE)).unwrap_or_default();
    assert!(page == kept, "{} is stale: run `cargo xtask names`", names::PAGE);
    // The scanner finds functions, methods and the rows of tables.
    for row in ["| `absolute` | `.abs()` |", "| `concatenate` | `concat()` |", "`.sum()`"] {
        assert!(page.contains(row), "{row}");
    }
}
