//! The reading of modules, tried on crates that exist as strings only.

use super::{arrows, circles};
use std::path::Path;

/// The arrows of a crate of these files, one a line: who takes which names from whom.
fn read(files: &[(&str, &str)]) -> super::Arrows {
    let find = |path: &Path| {
        let file = files.iter().find(|(name, _)| Path::new(name) == path);
        file.map(|(_, source)| source.to_string())
    };
    arrows(Path::new(files[0].0), &find)
}

#[track_caller]
fn check(files: &[(&str, &str)], want: &[&str]) {
    let found: Vec<String> = read(files)
        .iter()
        .map(|((taker, giver), names)| {
            let names = names.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            format!("{} < {}: {names}", taker.display(), giver.display())
        })
        .collect();
    assert_eq!(found, want);
}

#[test]
fn imports_and_paths_lead_to_what_defines_the_name() {
    check(
        &[
            ("src/lib.rs", "mod a; mod b; mod c;"),
            ("src/a.rs", "use crate::b::{Kind, make as build}; fn f() { crate::c::go(Kind::One) }"),
            ("src/b.rs", "pub enum Kind { One } pub fn make() {}"),
            ("src/c.rs", "use super::b; pub fn go(_: b::Kind) { let _ = [vec![crate::a::f()]]; }"),
        ],
        &[
            "src/a.rs < src/b.rs: Kind make",
            "src/a.rs < src/c.rs: go",
            "src/c.rs < src/a.rs: f",
            "src/c.rs < src/b.rs: Kind",
        ],
    );
}

#[test]
fn facades_are_seen_through() {
    check(
        &[
            ("src/lib.rs", "mod a; mod facade; pub use facade::*; pub use a::Own;"),
            ("src/a.rs", "use crate::{Deep, Flat}; pub struct Own(Deep, Flat);"),
            ("src/facade/mod.rs", "mod flat; mod deep; pub use flat::Flat; pub use deep::*;"),
            ("src/facade/flat.rs", "pub struct Flat;"),
            ("src/facade/deep/mod.rs", "mod end; pub use self::end::*;"),
            ("src/facade/deep/end.rs", "pub struct Deep; fn f(_: crate::Own) {}"),
        ],
        &[
            "src/a.rs < src/facade/deep/end.rs: Deep",
            "src/a.rs < src/facade/flat.rs: Flat",
            "src/facade/deep/end.rs < src/a.rs: Own",
        ],
    );
}

#[test]
fn globs_bring_in_what_is_named() {
    check(
        &[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "use crate::b::*; fn f(x: Used) { x.method(); another::crates(x) }"),
            ("src/b.rs", "pub struct Used; pub struct Idle; pub fn method() {}"),
        ],
        &["src/a.rs < src/b.rs: Used"],
    );
}

#[test]
fn a_file_and_those_below_its_folder_make_no_arrow() {
    check(
        &[
            ("src/lib.rs", "mod a; pub fn top() {} fn f() { a::b::c::low() }"),
            ("src/a.rs", "pub mod b; pub fn middle() { crate::top(); b::c::low() }"),
            ("src/a/b/mod.rs", "pub mod c; pub mod d;"),
            (
                "src/a/b/c.rs",
                "pub fn low() { super::super::middle(); crate::top(); super::d::x() }",
            ),
            ("src/a/b/d.rs", "pub fn x() {}"),
        ],
        &["src/a/b/c.rs < src/a/b/d.rs: x"],
    );
}

#[test]
fn modules_in_braces_belong_to_their_file() {
    check(
        &[
            ("src/lib.rs", "mod a; mod b { pub mod deep; }"),
            ("src/a.rs", "mod inside { use super::super::b::deep::X; fn f(_: super::Y, _: X) {} }"),
            ("src/b/deep.rs", "pub struct X; fn f() { use crate::a; a::g() }"),
        ],
        &["src/a.rs < src/b/deep.rs: X", "src/b/deep.rs < src/a.rs: g"],
    );
}

#[test]
fn macros_and_what_they_define_count_where_a_path_names_them() {
    check(
        &[
            ("src/lib.rs", "#[macro_use] mod m; mod a; mod t;"),
            ("src/m.rs", "macro_rules! make { () => {} } pub(crate) use make;"),
            ("src/a.rs", "crate::m::make!(); fn f() { make!(); crate::t::ROWS; }"),
            ("src/t.rs", "rows! { ROWS } macro_rules! one { ($n:ident) => { crate::m::$n } }"),
        ],
        &["src/a.rs < src/m.rs: make", "src/a.rs < src/t.rs: ROWS", "src/t.rs < src/m.rs: $n"],
    );
}

#[test]
fn a_new_name_is_defined_where_it_is_given() {
    check(
        &[
            ("src/lib.rs", "mod a; mod b; mod c;"),
            ("src/a.rs", "pub use crate::b::Long as Short;"),
            ("src/b.rs", "pub struct Long;"),
            ("src/c.rs", "use crate::a::Short;"),
        ],
        &["src/a.rs < src/b.rs: Long", "src/c.rs < src/a.rs: Short"],
    );
}

#[test]
fn other_crates_and_text_make_no_arrow() {
    check(
        &[
            ("src/lib.rs", "mod fmt; mod a;"),
            ("src/fmt.rs", "pub struct Debug;"),
            (
                "src/a.rs",
                "/// crate::fmt::Debug\nuse std::fmt::Debug; fn f(x: ::std::fmt::Error) \
                          { x.fmt::<u8>(); \"crate::fmt::Debug\"; x as usize::MAX }",
            ),
        ],
        &[],
    );
}

#[test]
fn circles_are_found_and_told_from_chains() {
    let all = read(&[
        ("src/lib.rs", "mod a; mod b; mod c; mod d; mod e;"),
        ("src/a.rs", "use crate::b::B; pub struct A;"),
        ("src/b.rs", "use crate::c::C; pub struct B;"),
        ("src/c.rs", "use crate::{a::A, d::D}; pub struct C;"),
        ("src/d.rs", "use crate::e::E; pub struct D;"),
        ("src/e.rs", "pub struct E;"),
    ]);
    let found: Vec<String> = circles(&all).iter().map(ToString::to_string).collect();
    let want = "a circle of 3 files:\
        \n    src/a.rs takes B from src/b.rs\
        \n    src/b.rs takes C from src/c.rs\
        \n    src/c.rs takes A from src/a.rs";
    assert_eq!(found, [want]);
}
