//! Comparison of error messages: that a text says what it must, or that it reads exactly so, with
//! the lines of the test written as offsets, so that a test may move within its file.

use probpipe_trace::{Array, Error};
use std::fmt::Debug;
use std::panic::Location;

/// What carries an error: the error, a result or an array that has no value, or its text.
pub trait Fault {
    /// The text of the error. Fails where there is none.
    fn text(self) -> String;
}

impl Fault for &Error {
    fn text(self) -> String {
        self.to_string()
    }
}

impl Fault for Error {
    fn text(self) -> String {
        self.to_string()
    }
}

impl Fault for &Array {
    #[track_caller]
    fn text(self) -> String {
        self.value().text()
    }
}

impl Fault for Array {
    #[track_caller]
    fn text(self) -> String {
        self.value().text()
    }
}

impl Fault for &str {
    fn text(self) -> String {
        self.to_string()
    }
}

impl Fault for &String {
    fn text(self) -> String {
        self.clone()
    }
}

impl Fault for String {
    fn text(self) -> String {
        self
    }
}

impl<T: Debug, E: ToString> Fault for Result<T, E> {
    #[track_caller]
    fn text(self) -> String {
        match self {
            Ok(value) => panic!("{value:?} where an error was expected"),
            Err(error) => error.to_string(),
        }
    }
}

/// Fails unless the error's text has each of these parts.
///
/// ```
/// use probpipe_testing::says;
/// use probpipe_trace::array;
/// says(array([1.0]) + array([1.0, 2.0, 3.0]) + array([1.0, 2.0]), &["`add`", "f32[3]"]);
/// ```
#[track_caller]
pub fn says<'a>(fault: impl Fault, parts: impl IntoIterator<Item = &'a &'a str>) {
    let text = fault.text();
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in the message:\n{text}");
    }
}

/// A text with the lines of a file as offsets: `line +2` for what is two lines below `line`.
pub fn relative(text: &str, file: &str, line: u32) -> String {
    let mut shown = Vec::new();
    for part in text.lines() {
        shown.push(match part.split_once(&format!("{file}:")) {
            Some((before, after)) => {
                let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
                match digits.parse::<i64>() {
                    Ok(number) => format!("{before}line {:+}", number - i64::from(line)),
                    Err(_) => part.to_string(),
                }
            }
            None => part.to_string(),
        });
    }
    shown.join("\n")
}

/// Text without the indentation of its first line, and without empty lines around it.
fn dedent(text: &str) -> String {
    let lines: Vec<&str> = text.lines().skip_while(|l| l.trim().is_empty()).collect();
    let indent = lines.first().map_or(0, |l| l.len() - l.trim_start().len());
    let cut = |l: &&str| l.get(indent..).unwrap_or("").to_string();
    lines.iter().map(cut).collect::<Vec<_>>().join("\n").trim_end().to_string()
}

/// Fails unless the error's whole text is `want`, with the lines of the caller's file as offsets
/// from `line`. The indentation of `want` does not count. A failure shows both texts, with a sign
/// where they differ.
#[track_caller]
pub fn reads(fault: impl Fault, line: u32, want: &str) {
    let have = relative(&fault.text(), Location::caller().file(), line);
    let want = dedent(want);
    if have == want {
        return;
    }
    let (have, want): (Vec<_>, Vec<_>) = (have.lines().collect(), want.lines().collect());
    let mut shown = String::new();
    for i in 0..have.len().max(want.len()) {
        match (have.get(i), want.get(i)) {
            (Some(h), Some(w)) if h == w => shown += &format!("  {h}\n"),
            (h, w) => {
                shown += &w.map_or(String::new(), |w| format!("- {w}\n"));
                shown += &h.map_or(String::new(), |h| format!("+ {h}\n"));
            }
        }
    }
    panic!("the message differs (- expected, + actual):\n{shown}");
}
