//! How far a run is: what a callback hears, and bars on a terminal.

use super::course::{Block, Course};
use super::interrupt::Interrupts;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How far a run is, after a block of one of its chains.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// All chains.
    pub chains: Vec<ChainProgress>,
    /// The one whose block it was.
    pub chain: usize,
    /// Since the run began.
    pub elapsed: Duration,
}

/// How far a chain is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainProgress {
    /// Steps so far, those of the warm-up among them.
    pub steps: usize,
    /// Steps in all.
    pub of: usize,
    /// Draws so far.
    pub draws: usize,
    /// The step size, of kernels that have one.
    pub step_size: Option<f64>,
    /// Draws that diverged.
    pub divergences: usize,
    /// Gradients so far, the warm-up's among them, of kernels that count them.
    pub gradients: Option<u64>,
    /// Since the warm-up of the chain was over.
    pub draws_per_second: f64,
}

/// What is called after every block.
type Callback = Arc<Mutex<dyn FnMut(&Progress) -> ControlFlow<()> + Send>>;

/// Who hears of a run.
#[derive(Clone)]
pub(super) struct Listeners {
    pub bars: bool,
    pub interruptible: bool,
    pub callback: Option<Callback>,
}

impl Default for Listeners {
    fn default() -> Listeners {
        Listeners { bars: true, interruptible: true, callback: None }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners")
            .field("bars", &self.bars)
            .field("interruptible", &self.interruptible)
            .field("callback", &self.callback.is_some())
            .finish()
    }
}

/// What is known of one run.
pub(super) struct Watcher<'a> {
    listeners: &'a Listeners,
    progress: Progress,
    began: Instant,
    /// When the warm-up of each chain was over, and its draws then.
    warm: Vec<Option<(Instant, usize)>>,
    bars: Option<bars::Bars>,
}

impl<'a> Watcher<'a> {
    /// Of chains that are so far.
    pub fn new(listeners: &'a Listeners, course: &Course, steps: &[usize]) -> Watcher<'a> {
        let of = course.plan.len();
        let chain = |&steps: &usize| ChainProgress {
            steps,
            of,
            draws: course.drawn(steps),
            ..Default::default()
        };
        Watcher {
            listeners,
            progress: Progress {
                chains: steps.iter().map(chain).collect(),
                chain: 0,
                elapsed: Duration::ZERO,
            },
            began: Instant::now(),
            warm: vec![None; steps.len()],
            bars: None,
        }
    }

    pub fn interrupts(&self) -> Interrupts {
        Interrupts::new(self.listeners.interruptible)
    }

    /// Hears of a block.
    pub fn block(&mut self, course: &Course, block: &Block) -> ControlFlow<()> {
        let now = Instant::now();
        self.progress.elapsed = now - self.began;
        self.progress.chain = block.chain;
        let chain = &mut self.progress.chains[block.chain];
        chain.steps = block.steps;
        chain.draws = course.drawn(block.steps);
        chain.step_size = block.step_size.or(chain.step_size);
        chain.divergences += block.divergences;
        if let Some(more) = block.gradients {
            chain.gradients = Some(chain.gradients.unwrap_or(0) + more);
        }
        if chain.steps >= course.warmup {
            let draws = chain.draws;
            let (since, before) = *self.warm[block.chain].get_or_insert((now, draws));
            let seconds = (now - since).as_secs_f64();
            if seconds > 0.0 {
                chain.draws_per_second = (draws - before) as f64 / seconds;
            }
        }
        if self.listeners.bars {
            bars::show(&mut self.bars, &self.progress);
        }
        match &self.listeners.callback {
            None => ControlFlow::Continue(()),
            Some(callback) => {
                let mut callback = callback.lock().unwrap_or_else(PoisonError::into_inner);
                callback(&self.progress)
            }
        }
    }

    /// The run is over.
    pub fn finish(&mut self) {
        if let Some(bars) = self.bars.take() {
            bars.clear();
        }
    }
}

/// Bars on a terminal, one for each chain.
#[cfg(feature = "terminal")]
mod bars {
    use super::{ChainProgress, Progress};
    use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
    use std::io::IsTerminal;
    use std::time::Duration;

    /// Runs that are over sooner have none.
    const AFTER: Duration = Duration::from_millis(300);

    pub(super) struct Bars {
        all: MultiProgress,
        each: Vec<ProgressBar>,
    }

    pub(super) fn show(bars: &mut Option<Bars>, progress: &Progress) {
        if progress.elapsed < AFTER || !std::io::stderr().is_terminal() {
            return;
        }
        let bars = bars.get_or_insert_with(|| Bars::new(progress));
        for (bar, chain) in bars.each.iter().zip(&progress.chains) {
            bar.set_position(chain.steps as u64);
            bar.set_message(told(chain));
        }
    }

    fn told(chain: &ChainProgress) -> String {
        let mut text = format!("{} draws", chain.draws);
        if chain.draws_per_second > 0.0 {
            text += &format!(", {:.0}/s", chain.draws_per_second);
        }
        if let Some(size) = chain.step_size {
            text += &format!(", step {size:.2e}");
        }
        if chain.divergences > 0 {
            text += &format!(", {} diverged", chain.divergences);
        }
        text
    }

    impl Bars {
        fn new(progress: &Progress) -> Bars {
            let all = MultiProgress::new();
            let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = |(i, chain): (usize, &ChainProgress)| {
                let bar = ProgressBar::new(chain.of as u64).with_style(style.clone());
                all.add(bar.with_prefix(format!("chain {i}")))
            };
            let each = progress.chains.iter().enumerate().map(bar).collect();
            Bars { all, each }
        }

        pub(super) fn clear(self) {
            self.each.iter().for_each(ProgressBar::finish_and_clear);
            // What cannot be cleared stays: the run is over either way.
            self.all.clear().ok();
        }
    }
}

#[cfg(not(feature = "terminal"))]
mod bars {
    pub(super) struct Bars;

    pub(super) fn show(_: &mut Option<Bars>, _: &super::Progress) {}

    impl Bars {
        pub(super) fn clear(self) {}
    }
}
