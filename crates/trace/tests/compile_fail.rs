//! What must not compile, with the compiler's words: a key draws once. It stands in this crate
//! because the check builds all that its crate depends on once more.

#[test]
fn keys_draw_once() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
