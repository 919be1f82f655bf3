//! Chains on threads. A chain is made block by block, by whichever thread is free, the one that is
//! furthest behind first; the thread that called hears of every block and puts it away. What is in
//! a chain depends on its key alone. A run ends when all chains are done, or in order when told to:
//! no block that was made is lost.

use super::columns::{Part, number};
use super::course::{Block, Chain, Course, Ended, Outcome, Pace, Sink};
use super::interrupt::Interrupts;
use super::program::Steps;
use super::progress::Watcher;
use probpipe_trace::{Array, Error, ErrorKind, Key, Result, uniform_of};
use std::any::Any;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// Places of which the best is the start of a chain.
const CANDIDATES: usize = 10;
/// Places that are tried if those will not do.
const TRIES: usize = 100;

enum Event {
    Block(Block),
    Lost(usize, Array),
    Failed(Error),
}

/// What threads share.
struct Shared<'a> {
    steps: &'a dyn Steps,
    course: &'a Course,
    start: &'a Array,
    queue: Mutex<VecDeque<Chain>>,
    stop: AtomicBool,
    interrupts: Interrupts,
}

/// Makes the chains.
pub(super) fn run(
    steps: &dyn Steps,
    course: &Course,
    start: &Array,
    chains: Vec<Chain>,
    threads: usize,
    sink: &mut dyn Sink,
    watcher: &mut Watcher<'_>,
) -> Outcome {
    let mut drawn: Vec<usize> = chains.iter().map(|chain| course.drawn(chain.steps)).collect();
    let mut open = chains.iter().filter(|chain| chain.steps < course.plan.len()).count();
    let queue = chains.into_iter().filter(|chain| chain.steps < course.plan.len()).collect();
    let interrupts = watcher.interrupts();
    let stop = AtomicBool::new(false);
    let shared = Shared { steps, course, start, queue: Mutex::new(queue), stop, interrupts };
    let mut reason: Option<Ended> = None;
    let mut lost = None;
    let mut full = false;
    thread::scope(|scope| {
        // Few wait: who puts away more slowly than chains are made has them wait, not memory fill.
        let (tell, told) = sync_channel(16);
        for _ in 0..threads.clamp(1, open.max(1)) {
            let (tell, shared) = (tell.clone(), &shared);
            scope.spawn(move || work(shared, &tell));
        }
        drop(tell);
        let mut end = |why: Ended| {
            reason.get_or_insert(why);
            shared.stop.store(true, Ordering::Relaxed);
        };
        for event in told {
            match event {
                // Behind a block that could not be put away there can be no other.
                Event::Block(_) if full => {}
                Event::Block(block) => {
                    if let Err(error) = sink.take(&block) {
                        full = true;
                        end(Ended::Failed(error));
                        continue;
                    }
                    drawn[block.chain] = course.drawn(block.steps);
                    open -= usize::from(block.steps == course.plan.len());
                    if shared.stop.load(Ordering::Relaxed) {
                        continue;
                    }
                    match guarded("the callback of a run", || Ok(watcher.block(course, &block))) {
                        Ok(ControlFlow::Continue(())) => {}
                        Ok(ControlFlow::Break(())) => end(Ended::Interrupted),
                        Err(error) => end(Ended::Failed(error)),
                    }
                }
                Event::Lost(chain, z) => {
                    lost.get_or_insert((chain, z));
                    let message = "no start with a finite density and gradient was found";
                    end(Ended::Failed(Error::new(ErrorKind::Value, message)));
                }
                Event::Failed(error) => end(Ended::Failed(error)),
            }
        }
    });
    watcher.finish();
    let closed = sink.close();
    let ended = match (reason, closed) {
        (Some(Ended::Failed(error)), _) | (_, Err(error)) => Ended::Failed(error),
        (_, Ok(())) if open == 0 => Ended::Complete,
        _ => Ended::Interrupted,
    };
    Outcome { ended, drawn, lost }
}

/// What one thread does.
fn work(shared: &Shared<'_>, tell: &SyncSender<Event>) {
    loop {
        if shared.stop.load(Ordering::Relaxed) || shared.interrupts.pressed() {
            return;
        }
        let chain = shared.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        // Those that are left are in other hands, of which there are as many.
        let Some(mut chain) = chain else { return };
        let event = match guarded("a step", || advance(shared, &mut chain)) {
            Ok(event) => event,
            Err(error) => Event::Failed(error),
        };
        let on = matches!(event, Event::Block(_)) && chain.steps < shared.course.plan.len();
        // Told before others can go on with it, so that its blocks come in order.
        if tell.send(event).is_err() {
            return;
        }
        if on {
            shared.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(chain);
        }
    }
}

/// The next block of a chain, which starts it if need be.
fn advance(shared: &Shared<'_>, chain: &mut Chain) -> Result<Event> {
    let Shared { steps, course, start, .. } = shared;
    let state = match chain.state.take() {
        Some(state) => state,
        None => match begin(*steps, &chain.keys, start)? {
            Ok(state) => state,
            Err(z) => return Ok(Event::Lost(chain.number, z)),
        },
    };
    let rest = &course.plan[chain.steps..];
    let plan = &rest[..chain.pace.next().min(rest.len())];
    let began = Instant::now();
    let (state, kept) = steps.block(state, plan)?;
    let per_step = began.elapsed().as_secs_f64() / plan.len() as f64;
    chain.pace = Pace { last: plan.len(), per_step };
    let from = chain.steps;
    chain.steps += plan.len();
    chain.state = Some(state.clone());
    // The last step of each `thin` is a draw.
    let warmup = course.warmup;
    let is_draw = |step: &usize| {
        let made = from + step + 1;
        made > warmup && (made - warmup).is_multiple_of(course.thin)
    };
    let draws: Vec<usize> = (0..plan.len()).filter(is_draw).collect();
    let mut block = Block {
        chain: chain.number,
        steps: chain.steps,
        state,
        rows: Vec::with_capacity(kept.len()),
        divergences: 0,
        gradients: None,
        step_size: None,
    };
    for (column, leaf) in course.columns.iter().zip(&kept) {
        let value = leaf.value()?;
        let (all, size) = (value.to_host()?.bytes(), column.bytes());
        let rows = match draws[..] {
            [first, .., last] if last - first + 1 == draws.len() => {
                all[first * size..(last + 1) * size].to_vec()
            }
            _ => {
                draws.iter().flat_map(|&row| &all[row * size..(row + 1) * size]).copied().collect()
            }
        };
        if column.part == Part::Stats && column.ty.rank() == 0 {
            let read = |row: usize| number(column.ty.dtype, &all[row * size..]);
            match column.path.as_str() {
                "diverging" => block.divergences = rows.iter().filter(|&&byte| byte != 0).count(),
                "step_size" => block.step_size = read(plan.len() - 1),
                "steps" => {
                    let counts = (0..plan.len()).filter_map(read);
                    block.gradients = Some(counts.map(|count| count as u64).sum());
                }
                _ => {}
            }
        }
        block.rows.push(rows);
    }
    Ok(Event::Block(block))
}

/// A chain at a place near to the start; the last place that was tried if none will do. Of the
/// first places the one of the largest density is taken: few chains then begin where a minor mode
/// keeps them.
fn begin(
    steps: &dyn Steps,
    (for_start, for_chain): &(Key, Key),
    start: &Array,
) -> Result<Result<Vec<Array>, Array>> {
    let mut last = start.clone();
    let mut best: Option<(f64, Vec<Array>)> = None;
    for (i, key) in for_start.reuse().split_n(TRIES).into_iter().enumerate() {
        if i >= CANDIDATES && best.is_some() {
            break;
        }
        // Nearer to the start of the target the longer nothing is found.
        let radius = 0.5f64.powi((i / CANDIDATES) as i32);
        let jitter = uniform_of(start.dtype(), key, start.shape()) * 2.0 - 1.0;
        last = start + jitter * radius;
        let Some((density, state)) = steps.start(for_chain.reuse(), last.clone())? else {
            continue;
        };
        if best.as_ref().is_none_or(|(most, _)| density > *most) {
            best = Some((density, state));
        }
    }
    Ok(best.map(|(_, state)| state).ok_or(last))
}

/// A panic as an error.
fn guarded<R>(what: &str, f: impl FnOnce() -> Result<R>) -> Result<R> {
    let told = |panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Error::new(ErrorKind::Host, format!("{what} panicked: {text}")))
    };
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(told)
}
