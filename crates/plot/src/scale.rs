//! From numbers to axis units: ranges, ticks and their labels, and the bars of a histogram.

/// About how many steps an axis has.
const TICKS: f64 = 5.5;
/// Numbers beyond this have no room for a margin around them; they count as not finite.
const LARGEST: f64 = 1e300;

pub(super) fn drawable(v: f64) -> bool {
    v.abs() <= LARGEST
}

/// The outline of a histogram of area 1.
pub(super) fn outline(data: &[f64], bins: usize) -> Vec<(f64, f64)> {
    let kept: Vec<f64> = data.iter().copied().filter(|&v| drawable(v)).collect();
    let Some((lo, hi)) = span(kept.iter().copied()) else { return Vec::new() };
    let (lo, hi) = widened(lo, hi);
    let width = (hi - lo) / bins as f64;
    let mut counts = vec![0usize; bins];
    for v in &kept {
        // The cast saturates; the largest value belongs to the last bin.
        counts[(((v - lo) / width) as usize).min(bins - 1)] += 1;
    }
    let edge = |i: usize| lo + width * i as f64;
    let mut points = vec![(lo, 0.0)];
    for (i, &count) in counts.iter().enumerate() {
        let density = count as f64 / (kept.len() as f64 * width);
        points.extend([(edge(i), density), (edge(i + 1), density)]);
    }
    points.push((edge(bins), 0.0));
    points
}

/// The least and the greatest of drawable numbers.
pub(super) fn span(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|&v| drawable(v)).fold(None, |range, v| match range {
        None => Some((v, v)),
        Some((lo, hi)) => Some((f64::min(lo, v), f64::max(hi, v))),
    })
}

/// A range wide enough to be divided by: a point or next to it becomes an interval around it.
fn widened(lo: f64, hi: f64) -> (f64, f64) {
    let size = lo.abs().max(hi.abs());
    if hi - lo > size * 1e-9 && hi - lo > 1e-300 {
        return (lo, hi);
    }
    let half = if size < 1e-290 { 1.0 } else { size * 0.1 };
    (lo - half, hi + half)
}

/// The range, ticks and unit of an axis. The renderer sees numbers in the unit, a power of ten
/// near the largest of them, because it takes small absolute spans for empty ones.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    pub(super) lo: f64,
    pub(super) hi: f64,
    pub(super) step: f64,
    exponent: i32,
    /// Whether the step stays as it is.
    places: bool,
}

impl Axis {
    /// An axis with room around `range`; without a range, from 0 to 1. With `base`, it begins
    /// exactly at a lower end of 0.
    pub(super) fn around(range: Option<(f64, f64)>, base: bool) -> Axis {
        let (lo, hi) = range.map_or((0.0, 1.0), |(lo, hi)| widened(lo, hi));
        let size = lo.abs().max(hi.abs());
        let exponent = size.log10().floor() as i32;
        let unit = 10f64.powi(exponent);
        let (lo, hi) = (lo / unit, hi / unit);
        let room = (hi - lo) * 0.05;
        let lo = if base && lo == 0.0 { 0.0 } else { lo - room };
        Axis { lo, hi: hi + room, step: 0.0, exponent, places: false }.with_ticks()
    }

    /// An axis with a place for each of the numbers 0 to `n - 1`.
    pub(super) fn places(n: usize) -> Axis {
        Axis { lo: -0.6, hi: n as f64 - 0.4, step: 1.0, exponent: 0, places: true }
    }

    pub(super) fn with_ticks(mut self) -> Axis {
        if self.places {
            return self;
        }
        let raw = (self.hi - self.lo) / TICKS;
        let magnitude = 10f64.powf(raw.log10().floor());
        let factor = match raw / magnitude {
            r if r < 1.5 => 1.0,
            r if r < 3.5 => 2.0,
            r if r < 7.5 => 5.0,
            _ => 10.0,
        };
        self.step = factor * magnitude;
        self
    }

    pub(super) fn map(&self, v: f64) -> f64 {
        v / 10f64.powi(self.exponent)
    }

    /// The label of a tick: as many decimals as the step needs, scientific where the numbers
    /// are large or small.
    pub(super) fn format(&self, v: f64) -> String {
        let v = if v.abs() < self.step * 1e-6 { 0.0 } else { v };
        let places = -(self.step.log10() + 1e-9).floor() as i32;
        if (-3..=4).contains(&self.exponent) {
            let places = (places - self.exponent).max(0) as usize;
            return format!("{:.places$}", v * 10f64.powi(self.exponent));
        }
        if v == 0.0 {
            return "0".into();
        }
        let places = places.max(0) as usize;
        format!("{v:.places$}e{}", self.exponent)
    }
}
