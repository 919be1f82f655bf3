//! Chains on threads, one by one or in groups that are side by side in one program. A group is made
//! block by block, by whichever thread is free, the one that is furthest behind first; the thread
//! that called hears of every block and puts it away. What is in a chain depends on its key alone.
//! A run ends when all chains are done, or in order when told to: no block that was made is lost.

use super::columns::{Part, array, bytes, number};
use super::course::{Block, Course, Ended, Group, Member, Outcome, Pace, Sink, State};
use super::interrupt::Interrupts;
use super::program::{BLOCK, Steps, TRIES, near, reach};
use super::progress::Watcher;
use probpipe_trace::{Array, ArrayType, Error, ErrorKind, Key, Result, stack};
use std::any::Any;
use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// Places of which the best is the start of a chain.
const CANDIDATES: usize = 10;

enum Event {
    /// Of each chain of a group.
    Blocks(Vec<Block>),
    Lost(usize, Array),
    Failed(Error),
}

/// What threads share.
struct Shared<'a> {
    steps: &'a dyn Steps,
    course: &'a Course,
    queue: Mutex<VecDeque<Group>>,
    stop: AtomicBool,
    interrupts: Interrupts,
}

/// Makes the chains.
pub(super) fn run(
    steps: &dyn Steps,
    course: &Course,
    groups: Vec<Group>,
    threads: usize,
    sink: &mut dyn Sink,
    watcher: &mut Watcher<'_>,
) -> Outcome {
    let chains = groups.iter().map(|group| group.members.len()).sum();
    let mut drawn = vec![0; chains];
    for group in &groups {
        group.members.iter().for_each(|it| drawn[it.number] = course.drawn(group.steps));
    }
    let queue: VecDeque<Group> =
        groups.into_iter().filter(|group| group.steps < course.plan.len()).collect();
    let mut open: usize = queue.iter().map(|group| group.members.len()).sum();
    let busy = queue.len();
    let interrupts = watcher.interrupts();
    let stop = AtomicBool::new(false);
    let shared = Shared { steps, course, queue: Mutex::new(queue), stop, interrupts };
    let mut reason: Option<Ended> = None;
    let mut lost = None;
    let mut full = false;
    thread::scope(|scope| {
        // Few wait: who puts away more slowly than chains are made has them wait, not memory fill.
        let (tell, told) = sync_channel(16);
        for _ in 0..threads.clamp(1, busy.max(1)) {
            let (tell, shared) = (tell.clone(), &shared);
            scope.spawn(move || work(shared, &tell));
        }
        drop(tell);
        let mut end = |why: Ended| {
            reason.get_or_insert(why);
            shared.stop.store(true, Ordering::Relaxed);
        };
        let mut put_away = |block: Block, end: &mut dyn FnMut(Ended)| {
            // Behind a block that could not be put away there can be no other.
            if full {
                return;
            }
            if let Err(error) = sink.take(&block) {
                full = true;
                return end(Ended::Failed(error));
            }
            drawn[block.chain] = course.drawn(block.steps);
            open -= usize::from(block.steps == course.plan.len());
            if shared.stop.load(Ordering::Relaxed) {
                return;
            }
            match guarded("the callback of a run", || Ok(watcher.block(course, &block))) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => end(Ended::Interrupted),
                Err(error) => end(Ended::Failed(error)),
            }
        };
        for event in told {
            match event {
                Event::Blocks(blocks) => {
                    blocks.into_iter().for_each(|block| put_away(block, &mut end));
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
        let group = shared.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        // Those that are left are in other hands, of which there are as many.
        let Some(mut group) = group else { return };
        let event = match guarded("a step", || advance(shared, &mut group)) {
            Ok(event) => event,
            Err(error) => Event::Failed(error),
        };
        let on = matches!(event, Event::Blocks(_)) && group.steps < shared.course.plan.len();
        // Told before others can go on with it, so that its blocks come in order.
        if tell.send(event).is_err() {
            return;
        }
        if on {
            shared.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(group);
        }
    }
}

/// The next block of a group, which starts it if need be.
fn advance(shared: &Shared<'_>, group: &mut Group) -> Result<Event> {
    let Shared { steps, course, .. } = shared;
    let state = match group.state.take() {
        Some(state) => state.to_vec(),
        None => match (&group.members[..], steps.lanes()) {
            (members, Some(lanes)) => match begin_together(*steps, members, lanes)? {
                Ok(state) => state,
                Err((number, z)) => return Ok(Event::Lost(number, z)),
            },
            (members, None) => match begin(*steps, &members[0])? {
                Ok(state) => state,
                Err(z) => return Ok(Event::Lost(members[0].number, z)),
            },
        },
    };
    let rest = &course.plan[group.steps..];
    let rest = &rest[..group.pace.next().min(rest.len())];
    let plan = &rest[..reach(rest, steps.lanes())];
    let began = Instant::now();
    let (state, kept) = steps.block(state, plan)?;
    let per_step = began.elapsed().as_secs_f64() / plan.len() as f64;
    group.pace = Pace { last: plan.len(), per_step };
    let from = group.steps;
    group.steps += plan.len();
    let leaves = Arc::new(state);
    group.state = Some(leaves.clone());
    let values = kept.iter().map(Array::value).collect::<Result<Vec<_>>>()?;
    let hosts = values.iter().map(|value| value.to_host()).collect::<Result<Vec<_>>>()?;
    let all: Vec<&[u8]> = hosts.iter().map(|host| host.bytes()).collect();
    let block = |(lane, member): (usize, &Member)| {
        let lane = steps.lanes().map(|_| lane);
        let state = State { leaves: leaves.clone(), lane };
        block(course, (member.number, lane.unwrap_or(0)), from..group.steps, state, &all)
    };
    Ok(Event::Blocks(group.members.iter().enumerate().map(block).collect()))
}

/// The leaves of a chain, or of several side by side: so many, of which the last may be made in
/// vain.
pub(super) fn together(all: &[Vec<Array>], lanes: Option<usize>) -> Vec<Array> {
    let Some(lanes) = lanes else { return all[0].clone() };
    let chain = |lane: usize| all.get(lane).unwrap_or(&all[0]);
    let leaf = |i: usize| stack((0..lanes).map(|lane| chain(lane)[i].clone()), 0);
    (0..all[0].len()).map(leaf).collect()
}

/// What came of some steps of a chain with this number, in this lane of what is kept.
fn block(
    course: &Course,
    (chain, lane): (usize, usize),
    made: Range<usize>,
    state: State,
    kept: &[&[u8]],
) -> Block {
    // The last step of each `thin` is a draw.
    let warmup = course.warmup;
    let is_draw = |step: &usize| {
        let made = made.start + step + 1;
        made > warmup && (made - warmup).is_multiple_of(course.thin)
    };
    let draws: Vec<usize> = (0..made.len()).filter(is_draw).collect();
    let rows = Vec::with_capacity(kept.len());
    let (divergences, gradients, step_size) = (0, None, None);
    let mut block =
        Block { chain, steps: made.end, state, rows, divergences, gradients, step_size };
    for (column, all) in course.columns.iter().zip(kept) {
        let size = column.bytes();
        let all = &all[lane * BLOCK * size..(lane + 1) * BLOCK * size];
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
                "step_size" => block.step_size = read(made.len() - 1),
                "steps" => {
                    let counts = (0..made.len()).filter_map(read);
                    block.gradients = Some(counts.map(|count| count as u64).sum());
                }
                _ => {}
            }
        }
        block.rows.push(rows);
    }
    block
}

/// A chain at its start, or at a place near to it; the last place that was tried if none will do.
/// Of the first places the one of the largest density is taken: few chains then begin where a minor
/// mode keeps them.
fn begin(steps: &dyn Steps, member: &Member) -> Result<Result<Vec<Array>, Array>> {
    let (for_start, for_chain) = &member.keys;
    let mut last = member.start.clone();
    let mut best: Option<(f64, Vec<Array>)> = None;
    let keys = for_start.reuse().split_n(TRIES);
    for (i, key) in keys.into_iter().enumerate().take(tries(member)) {
        if i >= CANDIDATES && best.is_some() {
            break;
        }
        last = near(&member.start, key, &Array::from(radius(member, i)));
        let Some((density, state)) = steps.start(for_chain.reuse(), last.clone())? else {
            continue;
        };
        if best.as_ref().is_none_or(|(most, _)| density > *most) {
            best = Some((density, state));
        }
    }
    Ok(best.map(|(_, state)| state).ok_or(last))
}

/// Of a start that is given there is one place.
fn tries(member: &Member) -> usize {
    if member.given { 1 } else { TRIES }
}

/// How far from the start a place may be: nearer the longer nothing is found.
fn radius(member: &Member, i: usize) -> f64 {
    if member.given { 0.0 } else { 0.5f64.powi((i / CANDIDATES) as i32) }
}

/// As [`begin`], of chains side by side: so many, of which the last may be made in vain. If none
/// will do for a chain, its number and the last place.
fn begin_together(
    steps: &dyn Steps,
    members: &[Member],
    lanes: usize,
) -> Result<Result<Vec<Array>, (usize, Array)>> {
    let member = |lane: usize| members.get(lane).unwrap_or(&members[0]);
    let key = |of: fn(&Member) -> &Key| {
        let data = stack((0..lanes).map(|lane| of(member(lane)).data().clone()), 0);
        Key::from_data(data).with_layout(of(&members[0]).layout())
    };
    let (for_start, for_chain) = (key(|it| &it.keys.0), key(|it| &it.keys.1));
    let places = stack((0..lanes).map(|lane| member(lane).start.clone()), 0);
    let mut best: Vec<Option<f64>> = vec![None; lanes];
    let mut all: Vec<(ArrayType, Vec<u8>)> = Vec::new();
    let mut last = None;
    for i in 0..tries(&members[0]) {
        if i >= CANDIDATES && best.iter().all(Option::is_some) {
            break;
        }
        let keys = (for_start.reuse(), for_chain.reuse());
        let tried = steps.starts(places.clone(), keys, i, radius(&members[0], i))?;
        let new = tried.chains.iter().map(|leaf| Ok((leaf.ty()?, bytes(leaf)?)));
        let new = new.collect::<Result<Vec<_>>>()?;
        if all.is_empty() {
            all.clone_from(&new);
        }
        for (lane, (best, &(sound, density))) in best.iter_mut().zip(&tried.found).enumerate() {
            let better = match *best {
                None => true,
                Some(most) => i < CANDIDATES && density > most,
            };
            if sound && better {
                *best = Some(density);
                for ((_, to), (_, from)) in all.iter_mut().zip(&new) {
                    let row = from.len() / lanes;
                    let row = lane * row..(lane + 1) * row;
                    to[row.clone()].copy_from_slice(&from[row]);
                }
            }
        }
        last = Some(tried.z);
    }
    match (best.iter().position(Option::is_none), last) {
        (Some(lane), Some(z)) => Ok(Err((member(lane).number, z.at(lane as isize)))),
        _ => all.into_iter().map(|(ty, bytes)| array(ty, &bytes)).collect::<Result<_>>().map(Ok),
    }
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
