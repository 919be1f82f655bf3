//! A part of the fuzzing that is quick enough for every run of the tests.

use probpipe::Device;
use probpipe_fuzz::{check, check_text, config};
use probpipe_testing::{Config, random_graph};
use proptest::prelude::*;

#[test]
fn random_graphs_keep_their_meaning() {
    for seed in 0..600 {
        check(seed, config(seed, Device::Cpu), Device::Cpu).unwrap_or_else(|e| panic!("{e}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        check_text(&text).map_err(|e| TestCaseError::fail(e.to_string()))?;
    }

    /// Pieces of valid texts, cut and joined, come further into the parser.
    #[test]
    fn damaged_graphs_are_read_or_refused(
        seed in 0u64..500, other in 0u64..500, cut in 0.0..1.0f64, resume in 0.0..1.0f64,
        digit in "[0-9xft,\\[\\]%=(){}-]{0,2}",
    ) {
        let text = |seed| random_graph(seed, Config::default()).map(|g| g.to_string());
        let (a, b) = (text(seed).unwrap_or_default(), text(other).unwrap_or_default());
        let at = |text: &str, part: f64| (text.len() as f64 * part) as usize;
        let head = a.get(..at(&a, cut)).unwrap_or_default();
        let own = digit.len() == 1;
        let tail = if own { a.get(at(&a, cut) + 1..) } else { b.get(at(&b, resume)..) };
        let damaged = format!("{head}{digit}{}", tail.unwrap_or_default());
        check_text(&damaged).map_err(|e| TestCaseError::fail(e.to_string()))?;
    }
}
