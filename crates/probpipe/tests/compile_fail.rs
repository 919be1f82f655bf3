//! What must not compile, with the compiler's words: a key draws once.

#[test]
fn keys_draw_once() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
