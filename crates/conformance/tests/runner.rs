//! The runner on another directory: what it counts apart, and that it can fail.

use probpipe_testing::says;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs the runner on a directory with these cases of single operations.
fn run(name: &str, cases: &[&str]) -> Output {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap();
    let text = format!("{{\"set\": \"ops\", \"cases\": [{}]}}", cases.join(","));
    std::fs::write(directory.join("ops.json"), text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_probpipe-conformance"))
        .args(["--device", "cpu"])
        .env("PROBPIPE_GOLDEN", directory)
        .output()
        .unwrap()
}

fn case(op: &str, attrs: &str, dtype: &str, data: &str, out: &str) -> String {
    let array = |data: &str| format!(r#"{{"dtype": "{dtype}", "shape": [2], "data": {data}}}"#);
    let (input, out) = (array(data), array(out));
    format!(
        r#"{{"id": "{op}/x", "op": "{op}", "attrs": {attrs}, "jax": "", "inputs": [{input}],
            "out": [{out}]}}"#
    )
}

#[test]
fn attributes_that_no_rule_reads_are_no_rule() {
    let sorted = case("sort", r#"{"axis": 0}"#, "f64", "[2, 1]", "[1, 2]");
    let other = case("sort", r#"{"axis": 0, "key": "abs"}"#, "f64", "[2, 1]", "[1, 2]");
    let bytes = case("sort", r#"{"axis": 0}"#, "i8", "[2, 1]", "[1, 2]");
    let output = run("apart", &[&sorted, &other, &bytes]);
    let text = String::from_utf8_lossy(&output.stdout);
    says(
        &*text,
        &[
            "1 run, 1 passed, 0 failed",
            "no rule, 1 cases: sort 1",
            "not a type of this library, 1 cases: i8 1",
        ],
    );
    assert!(output.status.success(), "{text}");
}

#[test]
fn a_wrong_result_fails_the_run() {
    let wrong = case("sort", r#"{"axis": 0}"#, "f64", "[2, 1]", "[1, 3]");
    let output = run("wrong", &[&wrong]);
    let text = String::from_utf8_lossy(&output.stdout);
    says(&*text, &["FAILED sort/x: out[1]: 2.0 instead of 3"]);
    assert_eq!(output.status.code(), Some(1));
}
