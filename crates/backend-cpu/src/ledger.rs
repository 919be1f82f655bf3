//! Whether calling other threads has paid so far. Waking a thread can cost more than it helps, and
//! a thread that lost its core in the middle of a part keeps everybody waiting: on a machine that
//! does other work too, both happen all the time, and nothing tells before. So what helpers gained
//! and cost is kept in a book; when they have cost more, jobs run alone until a fortieth of their
//! time has made up for it. What helpers cost is known but roughly: in the long run it is a
//! twentieth of the time at most.
//!
//! How a job is divided, and so its result, never depends on this.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

/// What helpers are trusted with at first.
const START: i64 = 200_000;
/// The most that they are trusted with, about what a thread costs that lost its core once: what
/// they gained before that is forgotten, since the machine may be another one by now.
const TRUST: i64 = 5_000_000;
/// What must be saved before helpers are called again: a first call finds them asleep and loses.
const TRIAL: i64 = 50_000;
/// Jobs alone save one part in this many of their time.
const SAVED: i64 = 40;

/// Gains of helpers less their costs, in nanoseconds.
pub(crate) struct Ledger {
    balance: AtomicI64,
    alone: AtomicBool,
}

impl Ledger {
    pub(crate) const fn new() -> Ledger {
        Ledger { balance: AtomicI64::new(START), alone: AtomicBool::new(false) }
    }

    /// Whether the next job calls helpers.
    pub(crate) fn calls_helpers(&self) -> bool {
        !self.alone.load(Ordering::Relaxed)
    }

    /// A job with helpers took `took`; the caller did `own` of its `parts` parts in `worked`.
    pub(crate) fn helped(&self, took: Duration, worked: Duration, own: usize, parts: usize) {
        if own == 0 {
            return;
        }
        let alone = worked.as_nanos() as i64 * parts as i64 / own as i64;
        let balance = self.add(alone - took.as_nanos() as i64);
        if balance < 0 {
            self.alone.store(true, Ordering::Relaxed);
        }
    }

    /// A job that could have had helpers took `took` alone.
    pub(crate) fn alone(&self, took: Duration) {
        let balance = self.add((took.as_nanos() as i64 / SAVED).max(1));
        if balance >= TRIAL {
            self.alone.store(false, Ordering::Relaxed);
        }
    }

    /// The balance with this. Jobs of other threads may be entered at the same time; an entry that
    /// is lost so is made up for by the next.
    fn add(&self, amount: i64) -> i64 {
        let balance = (self.balance.load(Ordering::Relaxed) + amount).min(TRUST);
        self.balance.store(balance, Ordering::Relaxed);
        balance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: fn(u64) -> Duration = Duration::from_micros;

    /// Total time of jobs of 40 us in 10 parts, each of which takes `with(job)` with helpers.
    fn run(jobs: u64, with: impl Fn(u64) -> (u64, usize)) -> u64 {
        let ledger = Ledger::new();
        (0..jobs)
            .map(|job| {
                if ledger.calls_helpers() {
                    let (took, own) = with(job);
                    ledger.helped(US(took), US(4 * own as u64), own, 10);
                    took
                } else {
                    ledger.alone(US(40));
                    40
                }
            })
            .sum()
    }

    #[test]
    fn helpers_that_help_are_always_called() {
        assert_eq!(run(1000, |_| (22, 5)), 22_000);
    }

    #[test]
    fn helpers_that_come_late_cost_a_fortieth() {
        // Awake after the job is done: the call itself is lost.
        assert!(run(20_000, |_| (47, 10)) <= 20_000 * 41 + 200);
    }

    #[test]
    fn a_helper_that_loses_its_core_costs_a_fortieth() {
        assert!(run(20_000, |_| (4000, 9)) <= 20_000 * 41 + 4000 + 200);
        // Now and then, while it helps otherwise.
        let mixed = run(20_000, |job| if job % 1000 == 999 { (4000, 9) } else { (22, 5) });
        assert!(mixed <= 20_000 * 30, "{mixed}");
    }

    #[test]
    fn what_was_gained_long_ago_is_forgotten() {
        let ledger = Ledger::new();
        for _ in 0..100_000 {
            ledger.helped(US(20), US(20), 5, 10);
        }
        ledger.helped(US(6000), US(36), 9, 10);
        assert!(!ledger.calls_helpers());
        for _ in 0..1200 {
            ledger.alone(US(40));
        }
        assert!(ledger.calls_helpers());
    }
}
