//! What must not compile, with the compiler's words: a key draws once, and what is compiled has
//! been verified. It stands in this crate because the check builds all that its crate depends on
//! once more.

#[test]
fn misuse_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
