//! Transitions of the no-U-turn sampler, one after the other, as one loop: each round of it is one
//! step of the dynamics, with one gradient. Where a trajectory ends the same round begins the next,
//! so that of many chains side by side none waits for the trajectories of others. Numbers, random
//! or not, are those of the transitions that `nuts` makes one by one.

use super::dynamics::{Moving, Point};
use super::kernel::{Between, Chain, Kernel, LogDensity, Steps, room, set_row, side_by_side};
use super::metric::Metric;
use super::metropolis::either;
use super::subtree::{Growing, Leapfrog};
use super::trajectory::{Doubling, NutsInfo, Trajectory};
use probpipe_trace::{
    Array, DType, Key, Tree, arange, cond, normal_of, select, while_loop, zeros_like,
};
use probpipe_transforms::vmap;

/// A transition on its way.
#[derive(Tree, Debug)]
#[tree(crate = probpipe_trace)]
struct Flight {
    key: Key,
    /// The energy at the start.
    energy: Array,
    /// The trajectory without the half that is being made.
    whole: Trajectory,
    doubling: Doubling,
    half: Growing,
    /// Whether the half is complete and part of the whole.
    joined: Array,
    /// Whether the whole is complete, too.
    landed: Array,
}

impl Clone for Flight {
    fn clone(&self) -> Flight {
        Flight {
            key: self.key.reuse(),
            energy: self.energy.clone(),
            whole: self.whole.clone(),
            doubling: self.doubling.clone(),
            half: self.half.clone(),
            joined: self.joined.clone(),
            landed: self.landed.clone(),
        }
    }
}

/// What transitions begin with, drawn for all of them at once.
#[derive(Tree, Debug)]
#[tree(crate = probpipe_trace)]
struct Departures {
    momentum: Array,
    key: Key,
}

impl Departures {
    /// Of the next `count` transitions of a chain that has made so many before.
    fn new(key: &Key, number: &Array, count: usize, x: &Array) -> Departures {
        let draw = |i: Array| {
            let (for_momentum, key) = key.reuse().fold_in(number + i).split();
            Departures { momentum: normal_of(x.dtype(), for_momentum, x.shape()), key }
        };
        vmap(draw)(arange(count).cast(DType::I32))
    }

    fn reuse(&self) -> Departures {
        Departures { momentum: self.momentum.clone(), key: self.key.reuse() }
    }

    /// The momentum and the key of one; zeros behind the last.
    fn of(&self, i: &Array) -> (Array, Key) {
        let key = Key::from_data(self.key.data().take(i, 0)).with_layout(self.key.layout());
        (self.momentum.take(i, 0), key)
    }
}

impl Flight {
    /// One that has landed at a point.
    fn landed(at: Point, key: &Key, dynamics: &Leapfrog<'_>) -> Flight {
        let start = Moving::with(zeros_like(&at.position), at, dynamics.metric);
        let zero = zeros_like(&start.point.log_density);
        let done = Array::from(true);
        Flight {
            key: key.reuse(),
            half: Growing::from(start.clone(), &zero, dynamics.max_depth),
            whole: Trajectory::from(start, &zero),
            doubling: Doubling::none(key, zero.dtype()),
            energy: zero,
            joined: done.clone(),
            landed: done,
        }
    }

    /// The branches that the next point completes; see [`Growing::completed`].
    fn completed(&self) -> Array {
        // Nothing where a new half begins.
        select(&self.joined, 0i32, self.half.completed())
    }

    /// The same flight, or the next where it has landed; with a half that is still to be made.
    fn on(self, (momentum, new): (Array, Key), metric: &Metric) -> Flight {
        let Flight { key, energy, whole, doubling, half, joined, landed } = self;
        let key = either(&landed, new, key);
        let start = Moving::with(momentum, whole.chosen.clone(), metric);
        let energy = select(&landed, start.energy(), energy);
        let zero = &energy * 0.0;
        let whole = either(&landed, Trajectory::from(start, &zero), whole);
        let dtype = energy.dtype();
        let doubling = cond(
            &joined,
            (key.reuse(), whole.depth.clone(), doubling),
            |(key, depth, _)| Doubling::new(&key, &depth, dtype),
            |(.., old)| old,
        );
        let half = half.or_from(&joined, whole.end(&doubling.forwards), &zero);
        Flight { key, energy, whole, doubling, half, joined, landed }
    }

    /// With one point more.
    fn round(self, dynamics: &Leapfrog<'_>, completed: Option<&Array>) -> Flight {
        let Flight { key, energy, whole, doubling, half, .. } = self;
        let Doubling { forwards, points, .. } = &doubling;
        let half = dynamics.longer(half, forwards, points, completed);
        let joined = !half.goes_on(&whole.depth);
        let both = whole.clone().with(half.tree.clone(), &doubling);
        let whole = either(&joined, both, whole);
        let landed = &joined & !whole.goes_on(dynamics.max_depth);
        Flight { key, energy, whole, doubling, half, joined, landed }
    }
}

/// A chain on its way.
#[derive(Tree, Debug)]
#[tree(crate = probpipe_trace)]
struct Course<W, R> {
    key: Key,
    number: Array,
    /// Transitions so far that count.
    made: Array,
    /// After the last of them.
    state: Point,
    info: NutsInfo,
    known: W,
    kept: R,
    flight: Flight,
}

/// How a kernel follows trajectories, given the energy at the start.
type Dynamics<K> = for<'a> fn(&'a K, LogDensity<'a>, &'a Array) -> Leapfrog<'a>;

/// [`Kernel::steps`] in one loop. A chain that has made its steps before others goes on with steps
/// that do not count.
pub(super) fn flat<K, W: Tree + Clone, R: Tree + Clone>(
    dynamics: Dynamics<K>,
    between: &Between<'_, K, W, R>,
    count: &Array,
    capacity: usize,
    chain: Chain<Point, W>,
) -> Steps<Point, NutsInfo, W, R>
where
    K: Kernel<State = Point, Info = NutsInfo>,
{
    let begin = |chain: Chain<Point, W>| {
        let Chain { key, number, state, known } = chain;
        let kernel = (between.kernel)(&known);
        let departures = Departures::new(&key, &number, capacity, &state.position);
        let zero = zeros_like(&state.log_density);
        let dynamics = dynamics(&kernel, between.log_density, &zero);
        let flight = Flight::landed(state.clone(), &key, &dynamics);
        // Of this only the shapes are left.
        let (_, info) = flight.whole.result(&flight.energy);
        let info = info.map(zeros_like);
        let kept = room(&(between.keep)(&known, &state, &info), capacity);
        let made = Array::from(0i32);
        (departures, Course { key, number, made, state, info, known, kept, flight })
    };
    let round = |departures: Departures, course: Course<W, R>, completed: Option<&Array>| {
        let Course { key, number, made, state, info, known, kept, flight } = course;
        let (kernel, before) = ((between.kernel)(&known), flight.energy.clone());
        let metric = dynamics(&kernel, between.log_density, &before).metric;
        let flight = flight.on(departures.of(&made), metric);
        let energy = flight.energy.clone();
        let flight = flight.round(&dynamics(&kernel, between.log_density, &energy), completed);
        let counts = &flight.landed & made.lt(count);
        let new = flight.whole.result(&energy);
        let row = select(&counts, &made, capacity as i32);
        let kept = set_row(kept, &row, (between.keep)(&known, &new.0, &new.1));
        let (state, info) = either(&counts, new, (state, info));
        let learns = &counts & (&made + 1).lt(count);
        let known = (between.learn)(&learns, known, &made, &state, &info);
        let one = counts.cast(DType::I32);
        let (number, made) = (number + &one, made + one);
        Course { key, number, made, state, info, known, kept, flight }
    };
    let chains = chain.number.clone();
    let (departures, start) = side_by_side(&chains, chain, begin);
    let going = |course: Course<W, R>| course.made.lt(count).any();
    let next = |course: Course<W, R>| {
        let completed = (chains.rank() > 0).then(|| course.flight.completed().max());
        let departures = departures.reuse();
        side_by_side(&chains, (departures, course), |(departures, course)| {
            round(departures, course, completed.as_ref())
        })
    };
    let Course { key, number, state, info, known, kept, .. } = while_loop(going, next, start);
    Steps { chain: Chain { key, number, state, known }, info, kept }
}
